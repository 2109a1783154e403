package platform

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/rpc"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// everything calls each method of the client once.
func (f *fixture) everything(ctx context.Context, t *testing.T) {
	t.Helper()
	invite, err := f.client.CreateInvite(ctx, f.spec())
	if err != nil {
		t.Fatal(err)
	}
	_, readErr := f.client.ReadInvite(ctx, invite.ID)
	_, groupErr := f.client.FindGroup(ctx, folder)
	_, roleErr := f.client.FindRole(ctx, "viewer", f.group)
	_, ageErr := f.client.createdAt(ctx, f.group)
	_, roleReadErr := f.client.ReadRole(ctx, f.Role("viewer"))
	var listErr error
	for _, err := range f.client.Invites(ctx, Scope{Everywhere: true}) {
		listErr = errors.Join(listErr, err)
	}
	if err := errors.Join(readErr, groupErr, roleErr, ageErr, roleReadErr, listErr, f.client.DeleteInvite(ctx, invite.ID)); err != nil {
		t.Fatal(err)
	}
}

func TestCall_metadata_isMinimal(t *testing.T) {
	t.Parallel()
	f := start(t)
	// The platform must not receive metadata from the caller's context.
	f.everything(metadata.AppendToOutgoingContext(t.Context(), "cgclientid", "/usr/bin/terraform", "x-secret", "1"), t)

	allowed := []string{":authority", "authorization", "content-type", "user-agent"}
	for _, request := range f.Requests() {
		for key, values := range request.Metadata {
			if !slices.Contains(allowed, key) {
				t.Errorf("%s sent %s: %q", request.Method, key, values)
			}
			if len(values) != 1 {
				t.Errorf("%s sent %s %d times", request.Method, key, len(values))
			}
		}
		if !strings.HasPrefix(request.UserAgent, "test/1 grpc-go/") {
			t.Errorf("%s sent the user agent %q", request.Method, request.UserAgent)
		}
		if !strings.HasPrefix(request.FullMethod, "/chainguard.platform.iam.v2.") {
			t.Errorf("%s was called", request.FullMethod)
		}
	}
	if got := f.Connections(); got != 1 {
		t.Errorf("there were %d connections, want 1", got)
	}
}

func TestCall_deadline_everyMethod(t *testing.T) {
	t.Parallel()
	f := start(t, requestTimeout(7*time.Second))
	f.everything(t.Context(), t)
	methods := map[string]bool{}
	for _, request := range f.Requests() {
		methods[request.Method] = true
		if request.Timeout <= 0 || request.Timeout > 7*time.Second {
			t.Errorf("%s was called with a deadline of %s, want at most 7s", request.Method, request.Timeout)
		}
	}
	if len(methods) != 8 {
		t.Errorf("called %v, want each of the 8 methods", methods)
	}
}

func TestCall_deadline_silentAPI(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() }) // The kernel completes connections that are never accepted.
	for method, operation := range faultOperations {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			f := start(t, requestTimeout(300*time.Millisecond), func(s *setup) {
				s.api = func(string) string { return "http://" + listener.Addr().String() }
			})
			began := time.Now()
			e := problem(t, operation(t.Context(), f, f.group+"/0123456789abcdef"))
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %s", took)
			}
			if e.Code != codes.DeadlineExceeded || e.API != "http://"+listener.Addr().String() || e.Left != "" {
				t.Errorf("ended with %+v", e)
			}
		})
	}
}

func TestCall_unsent_createIsNotSearchedFor(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.everything(t.Context(), t)
	_ = f.Close()
	calls := f.Count("")
	f.client.conn.WaitForStateChange(t.Context(), connectivity.Ready) // Wait until the client has noticed.

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	if e := problem(t, err); e.Code != codes.Unavailable || e.Left != "" {
		t.Errorf("ended with %+v", e)
	}
	f.wantCalls(t, "", calls)
}

func TestCall_retry_sharesOneDeadline(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Code: codes.Unavailable, RetryAfter: 4 * time.Second})
	_, err := f.client.ReadInvite(t.Context(), f.group+"/0123456789abcdef")
	if problem(t, err).Code != codes.Unavailable {
		t.Error(err)
	}
	f.wantCalls(t, "GetGroupInvite", 3) // at 0, 4 and 8 of 10 seconds
	if last := f.Requests()[2]; last.Timeout > 2*time.Second {
		t.Errorf("the last try had %s, want what was left of 10s", last.Timeout)
	}
}

func TestCall_retry_backsOff(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.Inject(emulator.Fault{Code: codes.Unavailable})
	_, _ = f.client.ReadInvite(t.Context(), f.group+"/0123456789abcdef")
	want := idempotent.First
	for _, got := range f.waits.all {
		if got < want*4/5 || got > want*6/5 {
			t.Errorf("waited %s between tries, want %s give or take a fifth", got, want)
		}
		want *= 2
	}
	if len(f.waits.all) != idempotent.Tries-1 {
		t.Errorf("waited %d times", len(f.waits.all))
	}
}

func TestCall_throttle_slowsEveryCall(t *testing.T) {
	t.Parallel()
	f := start(t)
	invite := f.add(f.spec())
	f.Inject(emulator.Fault{Method: "GetGroupInvite", Code: codes.ResourceExhausted, RetryAfter: 10 * time.Second, Times: 1})
	var other sync.WaitGroup
	var first atomic.Bool
	otherWaits := make(chan struct{}, 8)
	f.waits.during = func(time.Duration) {
		if !first.Swap(true) {
			// The rejected call waits. Another one starts, and waits as well.
			other.Go(func() {
				for _, err := range f.client.Invites(t.Context(), Scope{GroupID: f.group}) {
					if err != nil {
						t.Error(err)
					}
				}
				otherWaits <- struct{}{}
			})
			<-otherWaits
		} else {
			otherWaits <- struct{}{}
		}
	}

	if _, err := f.client.ReadInvite(t.Context(), invite.UID); err != nil {
		t.Fatal(err)
	}
	other.Wait()
	for _, request := range f.Requests()[1:] {
		if request.Time.Before(begin.Add(10 * time.Second)) {
			t.Errorf("%s was called at %s, earlier than the platform asked", request.Method, request.Time)
		}
	}
}

func TestCall_token_renewedOnceForCreate(t *testing.T) {
	t.Parallel()
	f := start(t)
	old := f.tokens.current
	f.tokens.next = []string{f.AdminToken()}
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Code: codes.Unauthenticated, Times: 1})

	if _, err := f.client.CreateInvite(t.Context(), f.spec()); err != nil {
		t.Fatal(err)
	}
	f.wantCalls(t, "CreateGroupInvite", 2)
	if !slices.Equal(f.tokens.discarded, []string{old}) {
		t.Error("the rejected token was not discarded exactly once")
	}
	requests := slices.DeleteFunc(f.Requests(), func(r emulator.Request) bool { return r.Method != "CreateGroupInvite" })
	if requests[0].Metadata.Get("authorization")[0] == requests[1].Metadata.Get("authorization")[0] {
		t.Error("the rejected token was sent again")
	}
}

func TestCall_token_missing(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.tokens.err = errors.New("not signed in: run chainctl auth login")
	for method, operation := range faultOperations {
		err := operation(t.Context(), f, f.group+"/0123456789abcdef")
		var signIn *rpc.SignInError
		if !errors.As(err, &signIn) || !errors.Is(err, f.tokens.err) || err.Error() != f.tokens.err.Error() {
			t.Errorf("%s: %v", method, err)
		}
	}
	f.wantCalls(t, "", 0)
}

func TestCall_token_missingAfterARefusedCreate(t *testing.T) {
	t.Parallel()
	f := start(t)
	f.tokens.failAfterDiscard = errors.New("the login has ended")
	f.Inject(emulator.Fault{Method: "CreateGroupInvite", Code: codes.Unauthenticated})

	_, err := f.client.CreateInvite(t.Context(), f.spec())

	if !errors.Is(err, f.tokens.failAfterDiscard) {
		t.Errorf("ended with %v", err)
	}
	f.wantCalls(t, "CreateGroupInvite", 1)
	f.wantCalls(t, "ListGroupInvites", 1)
}

func TestCall_errors_redactTheToken(t *testing.T) {
	t.Parallel()
	for _, code := range []codes.Code{codes.Unauthenticated, codes.InvalidArgument, codes.Unavailable, codes.ResourceExhausted, codes.Internal} {
		for method, operation := range faultOperations {
			t.Run(fmt.Sprintf("%s/%s", code, method), func(t *testing.T) {
				t.Parallel()
				f := start(t)
				token := f.tokens.current
				f.Inject(emulator.Fault{Code: code, Message: "bad header authorization: Bearer " + token, Details: []proto.Message{
					&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{{Field: "token", Description: token}}},
					&errdetails.ErrorInfo{Reason: "KEPT", Metadata: map[string]string{}},
					&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{{Subject: token}}},
				}})
				e := problem(t, operation(t.Context(), f, f.group+"/0123456789abcdef"))
				if e.Reason != "KEPT" {
					t.Errorf("the reason is %q: too much was dropped", e.Reason)
				}
				wantText(t, e.Message, "bad header", "(redacted)")
				for err := error(e); err != nil; err = errors.Unwrap(err) {
					// Check the status as well, because the text does not include details.
					raw, marshalErr := proto.Marshal(status.Convert(err).Proto())
					if marshalErr != nil {
						t.Fatal(marshalErr)
					}
					for _, text := range []string{err.Error(), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err), string(raw)} {
						if strings.Contains(text, token) {
							t.Fatal("the token is in the error")
						}
					}
				}
			})
		}
	}
}

func TestCall_errors_redactTheCode(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*iam.GroupInvite){
		"another role":    func(i *iam.GroupInvite) { i.RoleUid = i.GetUid() },
		"another address": func(i *iam.GroupInvite) { i.Email = "jo@acme.example" },
		"no timestamps":   func(i *iam.GroupInvite) { i.CreateTime = nil },
		"no uid":          func(i *iam.GroupInvite) { i.Uid = "" },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := start(t)
			var created []string
			spoils(0, func(i *iam.GroupInvite) {
				created = append(created, i.GetCode())
				spoil(i)
			})(f, "CreateGroupInvite")
			_, err := f.client.CreateInvite(t.Context(), f.spec())
			text := fmt.Sprintf("%v %+v %#v", problem(t, err), err, err)
			for _, code := range created {
				if code == "" || strings.Contains(text, code) {
					t.Error("the code is in the error")
				}
			}
		})
	}
}
