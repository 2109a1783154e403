package rpc

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// standIn is a server that writes HTTP/2 frames itself, so that it can end a call in every way that a platform, a proxy
// or a broken network can. It counts a request as executed before it responds.
type standIn struct {
	url   string
	calls atomic.Int32
}

// ending ends a call after the whole request was received.
type ending func(s *stream)

// stream is one call.
type stream struct {
	id     uint32
	framer *http2.Framer
	conn   net.Conn
	mu     *sync.Mutex
}

// headers sends headers, given as pairs of names and values.
func (s *stream) headers(end bool, pairs ...string) {
	var block bytes.Buffer
	encoder := hpack.NewEncoder(&block)
	for i := 0; i < len(pairs); i += 2 {
		_ = encoder.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]})
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.framer.WriteHeaders(http2.HeadersFrameParam{StreamID: s.id, BlockFragment: block.Bytes(), EndHeaders: true, EndStream: end})
}

func (s *stream) data(end bool, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.framer.WriteData(s.id, end, data)
}

func (s *stream) reset(code http2.ErrCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.framer.WriteRSTStream(s.id, code)
}

// goAway tells the client that no call of the connection was processed, including this one.
func (s *stream) goAway() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.framer.WriteGoAway(0, http2.ErrCodeNo, nil)
	_ = s.conn.Close()
}

// message returns an empty gRPC message, which decodes as any protobuf type, in a frame with this length.
func message(length uint32) []byte {
	return binary.BigEndian.AppendUint32([]byte{0}, length)
}

// newStandIn starts a stand-in that ends its nth call with the nth ending, and further calls with the last.
func newStandIn(t *testing.T, endings ...ending) *standIn {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	server := &standIn{url: "http://" + listener.Addr().String()}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go server.serve(conn, endings)
		}
	}()
	return server
}

func (s *standIn) serve(conn net.Conn, endings []ending) {
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, len(http2.ClientPreface))); err != nil {
		return
	}
	framer := http2.NewFramer(conn, conn)
	var mu sync.Mutex
	if framer.WriteSettings() != nil {
		return
	}
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				mu.Lock()
				_ = framer.WriteSettingsAck()
				mu.Unlock()
			}
		case *http2.PingFrame:
			mu.Lock()
			_ = framer.WritePing(true, frame.Data)
			mu.Unlock()
		case *http2.DataFrame:
			if frame.StreamEnded() {
				n := int(s.calls.Add(1))
				end := endings[min(n, len(endings))-1]
				go end(&stream{id: frame.StreamID, framer: framer, conn: conn, mu: &mu})
			}
		}
	}
}

func resets(code http2.ErrCode) ending { return func(s *stream) { s.reset(code) } }

// page is the HTTP response of a proxy.
func page(status, contentType string, body string) ending {
	return func(s *stream) {
		s.headers(false, ":status", status, "content-type", contentType)
		s.data(true, []byte(body))
	}
}

// answers responds with a status, as trailers only or after headers, as Go's net/http does.
func answers(code string, headersFirst bool) ending {
	return func(s *stream) {
		if headersFirst {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.headers(true, "grpc-status", code, "grpc-message", "on purpose")
			return
		}
		s.headers(true, ":status", "200", "content-type", "application/grpc", "grpc-status", code, "grpc-message", "on purpose")
	}
}

func succeeds(s *stream) {
	s.headers(false, ":status", "200", "content-type", "application/grpc")
	s.data(false, message(0))
	s.headers(true, "grpc-status", "0")
}
