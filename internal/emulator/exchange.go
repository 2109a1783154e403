package emulator

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/net/http2"
)

// exchange is the response to one HTTP request, which faults may replace.
type exchange struct {
	http.ResponseWriter
	conn *connection

	// The fault that acts below gRPC, if any. It is atomic because a handler may outlive its call.
	fault atomic.Pointer[Fault]

	unsent http.Header // of an answer that a fault replaces
}

// exchangeKey is the context key of a call's exchange.
type exchangeKey struct{}

func exchangeOf(ctx context.Context) *exchange {
	x, ok := ctx.Value(exchangeKey{}).(*exchange)
	if !ok {
		panic("emulator: a call without an HTTP request")
	}
	return x
}

// replaced reports whether a fault replaces the response of the handler.
func (x *exchange) replaced() bool {
	f := x.fault.Load()
	return f != nil && (f.Reset != 0 || f.Proxy != nil)
}

// Header implements [http.ResponseWriter].
func (x *exchange) Header() http.Header {
	if x.replaced() {
		return x.unsent
	}
	return x.ResponseWriter.Header()
}

// WriteHeader implements [http.ResponseWriter].
func (x *exchange) WriteHeader(status int) {
	if !x.replaced() {
		x.ResponseWriter.WriteHeader(status)
	}
}

// Write implements [http.ResponseWriter].
func (x *exchange) Write(b []byte) (int, error) {
	if x.replaced() {
		return len(b), nil
	}
	return x.ResponseWriter.Write(b)
}

// Flush implements [http.Flusher].
func (x *exchange) Flush() {
	if flusher, ok := x.ResponseWriter.(http.Flusher); ok && !x.replaced() {
		flusher.Flush()
	}
}

// finish sends what a fault sends instead of the response, or after it.
func (x *exchange) finish() {
	f := x.fault.Load()
	switch {
	case f == nil:
	case f.Reset != 0:
		x.conn.resetWith(f.Reset)
		panic(http.ErrAbortHandler) // ends the stream
	case f.Proxy != nil:
		kind, body := f.Proxy.ContentType, f.Proxy.Body
		if kind == "" {
			kind = "text/html"
		}
		if body == "" && kind == "text/html" {
			body = fmt.Sprintf("<html><head><title>%d %s</title></head></html>\n", f.Proxy.Status, http.StatusText(f.Proxy.Status))
		}
		x.ResponseWriter.Header().Set("Content-Type", kind)
		x.ResponseWriter.WriteHeader(f.Proxy.Status)
		_, _ = x.ResponseWriter.Write([]byte(body)) // fails only if the caller is gone
	case f.Garbage:
		_, _ = x.ResponseWriter.Write([]byte("\x00\x00\x00\x00\x07garbage")) // framed as a message of its own
	}
}

// listener wraps connections so that faults can break them.
type listener struct{ net.Listener }

// Accept implements [net.Listener].
func (l listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &connection{Conn: conn}, nil
}

// connection is a TCP connection. It writes only whole HTTP/2 frames, so that it can insert a frame between two others
// and change the code of a stream reset, which net/http does not let a handler choose.
type connection struct {
	net.Conn

	mu     sync.Mutex
	frame  []byte          // the part of a frame that is there so far
	plain  bool            // is HTTP/1
	resets []http2.ErrCode // codes of the resets to come
}

// connectionKey is the context key of a call's connection.
type connectionKey struct{}

const (
	frameHeader = 9 // bytes: three of length, type, flags, four of stream id
	resetFrame  = frameHeader + 4
)

// Write implements [net.Conn].
func (c *connection) Write(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.plain = c.plain || len(c.frame) == 0 && len(b) >= 5 && string(b[:5]) == "HTTP/"; c.plain {
		return c.Conn.Write(b)
	}
	c.frame = append(c.frame, b...)
	whole := 0
	for len(c.frame) >= whole+frameHeader {
		f := c.frame[whole:]
		size := frameHeader + (int(f[0])<<16 | int(f[1])<<8 | int(f[2]))
		if len(f) < size {
			break
		}
		if http2.FrameType(f[3]) == http2.FrameRSTStream && len(c.resets) > 0 {
			binary.BigEndian.PutUint32(f[frameHeader:resetFrame], uint32(c.resets[0]))
			c.resets = c.resets[1:]
		}
		whole += size
	}
	if _, err := c.Conn.Write(c.frame[:whole]); err != nil {
		return 0, err
	}
	c.frame = slices.Delete(c.frame, 0, whole)
	return len(b), nil
}

// resetWith sets the code of the next stream reset. If several streams are reset at once, their codes may be swapped.
func (c *connection) resetWith(code http2.ErrCode) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.resets = append(c.resets, code)
}

// goAway sends a GOAWAY that says that any stream may have been processed, and closes the connection.
func (c *connection) goAway() {
	c.mu.Lock()
	defer c.mu.Unlock()
	const lastStream = 1<<31 - 1
	f := []byte{0, 0, 8, byte(http2.FrameGoAway), 0, 0, 0, 0, 0}
	f = binary.BigEndian.AppendUint32(f, lastStream)
	f = binary.BigEndian.AppendUint32(f, uint32(http2.ErrCodeNo))
	if !c.plain {
		_, _ = c.Conn.Write(f) // fails only if the caller is gone
	}
	_ = c.Close()
}

// drop resets the TCP connection.
func (c *connection) drop() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // makes Close send a reset; what fails here is broken already
	}
	_ = c.Close()
}
