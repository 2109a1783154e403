package rpc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/oauth2"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

const (
	readMethod  = "/test.Service/Read"
	writeMethod = "/test.Service/Write"
	token       = "t0k3n-of-the-test"
)

// countedTokens counts how often its token was discarded.
type countedTokens struct {
	mu        sync.Mutex
	discarded int
}

func (*countedTokens) Token(context.Context) (*oauth2.Token, error) {
	return &oauth2.Token{AccessToken: token}, nil
}

func (c *countedTokens) Discard(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.discarded++
}

// connectTo returns a connection to a server, with a fake clock so that waits take no time.
func connectTo(t *testing.T, url string, change func(*Config)) (*Conn, *countedTokens, *clock.Fake) {
	t.Helper()
	tokens, fake := &countedTokens{}, clock.NewFake(begin)
	config := Config{
		API: url, UserAgent: "test/1", Tokens: tokens, Clock: fake, RequestTimeout: 10 * time.Second, Secrets: new(redact.Secrets),
		Retries: map[string]Policy{readMethod: {Tries: 5, First: 100 * time.Millisecond, Max: 2 * time.Second}},
	}
	if change != nil {
		change(&config)
	}
	conn, err := Connect(config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, tokens, fake
}

func (c *Conn) read(ctx context.Context) error {
	return c.Invoke(ctx, readMethod, &emptypb.Empty{}, &emptypb.Empty{})
}

func (c *Conn) write(ctx context.Context) error {
	return c.Invoke(ctx, writeMethod, &emptypb.Empty{}, &emptypb.Empty{}, Once(0))
}

// The status is the server's only if a grpc-status was received. Otherwise a call that must not be sent twice is sent
// once, and counts as possibly executed, regardless of gRPC's code.
func TestConn_status_notFromTheServer(t *testing.T) {
	t.Parallel()
	html := "<html><body>Access denied</body></html>"
	lost := map[string]ending{
		"connection closed":                     func(s *stream) { _ = s.conn.Close() },
		"GOAWAY that denies all":                func(s *stream) { s.goAway() },
		"HTML 200":                              page("200", "text/html", html),
		"HTML 401":                              page("401", "text/html", html),
		"HTML 403":                              page("403", "text/html", html),
		"HTML 404":                              page("404", "text/html", html),
		"HTML 429":                              page("429", "text/html", html),
		"HTML 502":                              page("502", "text/html", html),
		"HTML 502 as application/grpc":          page("502", "application/grpc", html),
		"empty 502 as application/grpc":         page("502", "application/grpc", ""),
		"only headers, 403 as application/grpc": func(s *stream) { s.headers(true, ":status", "403", "content-type", "application/grpc") },
		"no trailers after the message": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.data(true, message(0))
		},
		"a refusal after the message": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.data(false, message(0))
			s.headers(true, "grpc-status", "7")
		},
		"a message over any limit": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.data(false, message(1<<32-1))
			s.headers(true, "grpc-status", "0")
		},
		"a message over gRPC's usual limit, cut off": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.data(false, message(5<<20))
			s.headers(true, "grpc-status", "0")
		},
		"an unknown encoding": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc", "grpc-encoding", "zstd")
			s.data(false, append([]byte{1, 0, 0, 0, 1}, 'x'))
			s.headers(true, "grpc-status", "0")
		},
		"a message that cannot be read": func(s *stream) {
			s.headers(false, ":status", "200", "content-type", "application/grpc")
			s.data(false, append(message(2), 0xff, 0xff))
			s.headers(true, "grpc-status", "0")
		},
		"a status that is not a number": func(s *stream) {
			s.headers(true, ":status", "200", "content-type", "application/grpc", "grpc-status", "denied")
		},
	}
	for code := http2.ErrCodeNo; code <= http2.ErrCodeHTTP11Required; code++ {
		lost["RST_STREAM "+code.String()] = resets(code)
	}
	for name, end := range lost {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := newStandIn(t, end)
			conn, tokens, _ := connectTo(t, server.url, nil)

			err := conn.write(t.Context())

			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("ended with %v", err)
			}
			if !e.Sent || e.Refused() {
				t.Errorf("sent is %t and refused %t (%v)", e.Sent, e.Refused(), e)
			}
			if got := server.calls.Load(); got != 1 {
				t.Errorf("it was sent %d times", got)
			}
			if tokens.discarded > 0 {
				t.Error("the token was discarded, but the server did not refuse it")
			}
		})
	}
}

func TestConn_status_refusals(t *testing.T) {
	t.Parallel()
	for _, headersFirst := range []bool{false, true} {
		for code, refused := range map[codes.Code]bool{
			codes.Canceled: false, codes.Unknown: false, codes.InvalidArgument: true, codes.DeadlineExceeded: false, codes.NotFound: true,
			codes.AlreadyExists: true, codes.PermissionDenied: true, codes.FailedPrecondition: true, codes.Aborted: false,
			codes.OutOfRange: true, codes.Unimplemented: true, codes.Internal: false, codes.Unavailable: false, codes.DataLoss: false,
		} {
			t.Run(fmt.Sprintf("%s, headers first %t", code, headersFirst), func(t *testing.T) {
				t.Parallel()
				server := newStandIn(t, answers(fmt.Sprint(uint32(code)), headersFirst))
				conn, _, _ := connectTo(t, server.url, nil)

				err := conn.write(t.Context())

				var e *Error
				if !errors.As(err, &e) || !e.Answered || e.Code() != code || e.Refused() != refused {
					t.Errorf("ended with %#v (%v), want refused %t", e, err, refused)
				}
				if got := server.calls.Load(); got != 1 {
					t.Errorf("it was sent %d times", got)
				}
			})
		}
	}
}

func TestConn_write_resentAfterATemporaryRefusal(t *testing.T) {
	t.Parallel()
	for _, headersFirst := range []bool{false, true} {
		for code, discarded := range map[codes.Code]int{codes.ResourceExhausted: 0, codes.Unauthenticated: 1} {
			server := newStandIn(t, answers(fmt.Sprint(uint32(code)), headersFirst), succeeds)
			conn, tokens, _ := connectTo(t, server.url, nil)
			if err := conn.write(t.Context()); err != nil {
				t.Errorf("%s: %v", code, err)
			}
			if server.calls.Load() != 2 || tokens.discarded != discarded {
				t.Errorf("%s: sent %d times, %d tokens discarded", code, server.calls.Load(), tokens.discarded)
			}
		}
	}
}

// A bad response does not fail a call that is safe to send twice, unless it shows that retrying is useless.
func TestConn_retry_reads(t *testing.T) {
	t.Parallel()
	retried := map[string]ending{
		"closed":  func(s *stream) { _ = s.conn.Close() },
		"GOAWAY":  func(s *stream) { s.goAway() },
		"502":     page("502", "text/html", ""),
		"garbage": page("200", "application/grpc", "garbage"),
	}
	for _, code := range []codes.Code{codes.Unavailable, codes.Internal, codes.Unknown, codes.Aborted, codes.DeadlineExceeded, codes.ResourceExhausted} {
		retried[code.String()] = answers(fmt.Sprint(uint32(code)), true)
	}
	for _, code := range []http2.ErrCode{http2.ErrCodeInternal, http2.ErrCodeEnhanceYourCalm, http2.ErrCodeFlowControl, http2.ErrCodeRefusedStream, http2.ErrCodeCancel} {
		retried["RST_STREAM "+code.String()] = resets(code)
	}
	for name, end := range retried {
		server := newStandIn(t, end, succeeds)
		conn, _, _ := connectTo(t, server.url, nil)
		if err := conn.read(t.Context()); err != nil || server.calls.Load() != 2 {
			t.Errorf("%s: sent %d times, error %v", name, server.calls.Load(), err)
		}
	}
	for name, end := range map[string]ending{
		"403 of a proxy":   page("403", "text/html", ""),
		"PermissionDenied": answers("7", true), "NotFound": answers("5", true), "InvalidArgument": answers("3", true), "Canceled": answers("1", true),
	} {
		server := newStandIn(t, end, succeeds)
		conn, _, _ := connectTo(t, server.url, nil)
		if err := conn.read(t.Context()); err == nil || server.calls.Load() != 1 {
			t.Errorf("%s: sent %d times, error %v", name, server.calls.Load(), err)
		}
	}
}

func TestConn_deadline_hangingServer(t *testing.T) {
	t.Parallel()
	hang := func(*stream) {}
	server := newStandIn(t, hang, succeeds)
	conn, _, _ := connectTo(t, server.url, func(c *Config) { c.RequestTimeout = time.Second })
	if err := conn.read(t.Context()); err != nil || server.calls.Load() != 2 {
		t.Errorf("a server that hangs once: sent %d times, error %v", server.calls.Load(), err)
	}
	server = newStandIn(t, hang)
	conn, _, _ = connectTo(t, server.url, func(c *Config) { c.RequestTimeout = 200 * time.Millisecond })
	if err := conn.read(t.Context()); status.Code(err) != codes.DeadlineExceeded || server.calls.Load() != 2 {
		t.Errorf("a server that hangs: sent %d times, error %v", server.calls.Load(), err)
	}
}

func TestConn_breaker_failsFast(t *testing.T) {
	t.Parallel()
	var answering atomic.Bool
	server := newStandIn(t, func(s *stream) {
		if answering.Load() {
			succeeds(s)
		}
	})
	conn, _, fake := connectTo(t, server.url, func(c *Config) { c.RequestTimeout = 50 * time.Millisecond })
	var first error
	for i := range maxSilent {
		err := conn.read(t.Context())
		var e *Error
		if !errors.As(err, &e) {
			t.Fatalf("call %d: %v", i, err)
		}
		if i == 0 {
			first = err
		}
	}
	sent := server.calls.Load()
	for range 300 {
		var e *UnresponsiveError
		if err := conn.write(t.Context()); !errors.As(err, &e) || !errors.Is(e.First, first) {
			t.Fatalf("while the server does not answer: %v", err)
		}
	}
	if got := server.calls.Load(); got != sent {
		t.Errorf("%d calls were sent while the breaker was open", got-sent)
	}
	answering.Store(true)
	fake.Advance(probeInterval)
	for i := range 3 {
		if err := conn.read(t.Context()); err != nil {
			t.Errorf("call %d after the server answers again: %v", i, err)
		}
	}
}

func TestConn_breaker_closesOnAnAnswer(t *testing.T) {
	t.Parallel()
	hang := func(*stream) {}
	server := newStandIn(t, hang, hang, answers("7", true), hang, hang, succeeds)
	conn, _, _ := connectTo(t, server.url, func(c *Config) { c.RequestTimeout = 50 * time.Millisecond })
	for i := range 6 {
		err := conn.write(t.Context())
		var e *UnresponsiveError
		if errors.As(err, &e) {
			t.Errorf("call %d was not sent", i)
		}
	}
}

// A broken connection ends all of its calls at once, which says nothing about the next one.
func TestConn_breaker_ignoresBrokenConnections(t *testing.T) {
	t.Parallel()
	server := newStandIn(t, func(s *stream) { _ = s.conn.Close() })
	conn, _, _ := connectTo(t, server.url, nil)
	for i := range 3 * maxSilent {
		err := conn.write(t.Context())
		var e *UnresponsiveError
		if err == nil || errors.As(err, &e) {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

// The last response is returned instead of the expired deadline.
func TestConn_persist_returnsTheLastAnswer(t *testing.T) {
	t.Parallel()
	server := newStandIn(t, answers("13", true), answers("13", true), func(*stream) {})
	conn, _, _ := connectTo(t, server.url, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := conn.Invoke(ctx, readMethod, &emptypb.Empty{}, &emptypb.Empty{}, Persist(10*time.Second)); status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "on purpose") {
		t.Errorf("ended with %v", err)
	}
}

func TestConn_errors_redactSecrets(t *testing.T) {
	t.Parallel()
	const code = "not-like-a-code-at-all"
	server := newStandIn(t, func(s *stream) {
		s.headers(true, ":status", "200", "content-type", "application/grpc", "grpc-status", "3",
			"grpc-message", "bad "+token+" dDBrM24tb2YtdGhlLXRlc3Q= and "+code+" "+strings.ReplaceAll(token, "-", "%252D"))
	})
	conn, _, _ := connectTo(t, server.url, func(c *Config) { c.Secrets.Add(code) })
	err := conn.read(t.Context())
	for _, secret := range []string{token, "dDBrM24tb2YtdGhlLXRlc3Q", code} {
		if strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
			t.Errorf("the error shows %q: %v", secret, err)
		}
	}
	if !strings.Contains(err.Error(), "bad (redacted)") {
		t.Errorf("the error is %v", err)
	}
}

// A create may have been executed if its second try was sent without a response, even if the first found no connection.
func TestConn_write_interruptedAfterSending(t *testing.T) {
	t.Parallel()
	conn, _, _ := connectTo(t, "http://127.0.0.1:1", nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	tries := 0
	err := conn.throttled(ctx, &call{method: writeMethod, options: options{once: true}, invoke: func(ctx context.Context) error {
		tries++
		if tries == 1 {
			return status.Error(codes.Unavailable, "connection refused")
		}
		recorder{}.HandleRPC(ctx, &stats.OutHeader{})
		cancel()
		return status.Error(codes.Unavailable, "connection closed")
	}})
	var e *Error
	if !errors.As(err, &e) || !e.Sent || tries != 2 {
		t.Errorf("after %d tries the error is %v; want 2 tries and an error that says that the request was sent", tries, err)
	}
}

// No try starts in the little time that the throttle left, because it would look like a server that hangs.
func TestConn_retry_notAfterTheThrottleUsedUpTheTime(t *testing.T) {
	t.Parallel()
	conn, _, fake := connectTo(t, "http://127.0.0.1:1", nil)
	tries := 0
	err := conn.throttled(t.Context(), &call{method: readMethod, invoke: func(context.Context) error {
		tries++
		conn.throttle.backOff(fake.Now(), time.Minute) // Another call was rejected.
		return status.Error(codes.Unavailable, "connection refused")
	}})
	if status.Code(err) != codes.Unavailable || tries != 1 {
		t.Errorf("%d tries, error %v; want one try and its outcome", tries, err)
	}
}
