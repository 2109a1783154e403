package platform

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	iam "chainguard.dev/sdk/proto/chainguard/platform/iam/v2"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// faultOperations are the operations to test under each fault, by RPC. The group has one invite, old.
var faultOperations = map[string]func(ctx context.Context, f *fixture, old string) error{
	"CreateGroupInvite": func(ctx context.Context, f *fixture, _ string) error {
		invite, err := f.client.CreateInvite(ctx, f.spec())
		if err == nil && invite.Code == "" {
			panic("a create without a code")
		}
		return err
	},
	"GetGroupInvite": func(ctx context.Context, f *fixture, old string) error {
		_, err := f.client.ReadInvite(ctx, old)
		return err
	},
	"DeleteGroupInvite": func(ctx context.Context, f *fixture, old string) error {
		return f.client.DeleteInvite(ctx, old)
	},
	"ListGroupInvites": func(ctx context.Context, f *fixture, _ string) error {
		for _, err := range f.client.Invites(ctx, Scope{GroupID: f.group}) {
			if err != nil {
				return err
			}
		}
		return nil
	},
}

// outcome is the expected result of an operation in a group with one invite.
type outcome struct {
	code  codes.Code
	calls int      // of the operation's own RPC
	live  int      // valid invites afterwards
	says  []string // texts in the error, including Left
	check func(t *testing.T, f *fixture, e *Error)
}

// faultCase is a fault with the outcomes of all operations. Operations without their own outcome have that of rest, if
// it is set, and are otherwise not affected by the fault.
type faultCase struct {
	setup  func(t testing.TB) func(*setup)
	inject func(f *fixture, method string)

	create, get, del, list, rest *outcome
}

// fails returns a function that injects an error for a number of calls.
func fails(when emulator.When, code codes.Code, times int) func(*fixture, string) {
	return func(f *fixture, method string) {
		f.Inject(emulator.Fault{Method: method, When: when, Code: code, Times: times})
	}
}

// spoils returns a function that modifies the invites in responses.
func spoils(times int, spoil func(*iam.GroupInvite)) func(*fixture, string) {
	return func(f *fixture, method string) {
		f.Inject(emulator.Fault{Method: method, Times: times, Mutate: func(answer proto.Message) {
			switch answer := answer.(type) {
			case *iam.GroupInvite:
				spoil(answer)
			case *iam.ListGroupInvitesResponse:
				for _, invite := range answer.GetGroupInvites() {
					spoil(invite)
				}
			}
		}})
	}
}

const (
	before = emulator.BeforeCommit
	after  = emulator.AfterCommit
)

// These outcomes are common.
var (
	// The response to a create is lost after the commit: the invite is found and deleted, and another one created.
	createdAgain = &outcome{calls: 2, live: 2}
	// Any other call is retried once.
	retriedOnce = &outcome{calls: 2, live: 1}
	deletedOnce = &outcome{calls: 1, live: 0}
	// The response to a deletion is lost. It is sent again, and finds that the invite is gone.
	deletedAgain = &outcome{calls: 2, live: 0}
	fine         = &outcome{calls: 1, live: 1}
)

// notCreated is the outcome of a create that may have been committed but was not.
func notCreated(code codes.Code) *outcome {
	return &outcome{code: code, calls: 1, live: 1, says: []string{noMatch}}
}

// refusedOnce is the outcome of a call that is not retried.
func refusedOnce(code codes.Code, says ...string) *outcome {
	return &outcome{code: code, calls: 1, live: 1, says: says}
}

func unusableWith(calls int, says ...string) *outcome {
	return &outcome{code: codes.DataLoss, calls: calls, live: 1, says: says}
}

// year10000 is the first time that RFC 3339 cannot represent.
var year10000 = &timestamppb.Timestamp{Seconds: 253402300800}

func faultCases() map[string]faultCase {
	cases := map[string]faultCase{
		"connection refused": {
			setup: refusing,
			rest:  &outcome{code: codes.Unavailable, calls: 0, live: 1, says: []string{"refused"}},
		},
		"reset before sending": {
			setup:  resettingTwice,
			create: &outcome{calls: 1, live: 2}, del: deletedOnce, rest: fine,
		},
		"reset before commit": {
			inject: func(f *fixture, method string) { f.Inject(emulator.Fault{Method: method, Drop: true, Times: 1}) },
			create: notCreated(codes.Unavailable), del: deletedAgain, rest: retriedOnce,
		},
		"reset after commit": {
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, When: after, Drop: true, Times: 1})
			},
			create: createdAgain, del: deletedAgain, rest: retriedOnce,
		},
		"Unavailable before commit": {
			inject: fails(before, codes.Unavailable, 1),
			create: notCreated(codes.Unavailable), del: deletedAgain, rest: retriedOnce,
		},
		"Unavailable after commit": {
			inject: fails(after, codes.Unavailable, 1),
			create: createdAgain, del: deletedAgain, rest: retriedOnce,
		},
		"Unavailable for good": {
			inject: fails(before, codes.Unavailable, 0),
			create: notCreated(codes.Unavailable),
			rest:   &outcome{code: codes.Unavailable, calls: 5, live: 1, says: []string{"on purpose"}},
		},
		"Unavailable after every commit": {
			inject: fails(after, codes.Unavailable, 0),
			create: &outcome{code: codes.Unavailable, calls: 2, live: 1, says: []string{wasDeleted}},
			del:    deletedAgain, // NotFound was not committed.
			rest:   &outcome{code: codes.Unavailable, calls: 5, live: 1},
		},
		"ResourceExhausted burst": {
			inject: fails(before, codes.ResourceExhausted, 3),
			create: &outcome{calls: 4, live: 2}, del: &outcome{calls: 4, live: 0}, rest: &outcome{calls: 4, live: 1},
		},
		"ResourceExhausted burst with RetryInfo": {
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, Code: codes.ResourceExhausted, RetryAfter: 20 * time.Second, Times: 2})
			},
			create: &outcome{calls: 3, live: 2, check: waited(40 * time.Second)},
			del:    &outcome{calls: 3, live: 0, check: waited(40 * time.Second)},
			rest:   &outcome{calls: 3, live: 1, check: waited(40 * time.Second)},
		},
		"ResourceExhausted for good": {
			inject: fails(before, codes.ResourceExhausted, 0),
			rest:   &outcome{code: codes.ResourceExhausted, calls: 8, live: 1, says: []string{"on purpose"}},
		},
		"ResourceExhausted until tomorrow": {
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, Code: codes.ResourceExhausted, RetryAfter: 24 * time.Hour})
			},
			rest: refusedOnce(codes.ResourceExhausted, "on purpose"),
		},
		"PermissionDenied in an old group": {
			inject: fails(before, codes.PermissionDenied, 0),
			create: refusedWithout("group_invites.create and role_bindings.create"),
			del:    refusedWithout("group_invites.delete"), rest: refusedWithout("group_invites.list"),
		},
		"PermissionDenied in a new group": {
			inject: func(f *fixture, _ string) {
				f.group = f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
				f.SetBehavior(func(b *emulator.Behavior) { b.NewGroupDelay = 20 * time.Second })
			},
			// At 0, 1, 3, 7, 15 and 23 seconds.
			create: &outcome{calls: 6, live: 2},
		},
		"PermissionDenied in a new group for good": {
			inject: func(f *fixture, method string) {
				f.group = f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
				f.Inject(emulator.Fault{Method: method, Code: codes.PermissionDenied})
			},
			create: &outcome{code: codes.PermissionDenied, calls: 19, live: 1, check: waited(127 * time.Second)},
		},
		"PermissionDenied in a new group that is not visible yet": {
			inject: func(f *fixture, _ string) {
				f.group = f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
				f.SetBehavior(func(b *emulator.Behavior) { b.NewGroupDelay = 6 * time.Second })
				f.hide(f.group, 6*time.Second)
			},
			// At 0, 1, 3 and 7 seconds.
			create: &outcome{calls: 4, live: 2},
		},
		"PermissionDenied in a new group that is not found yet": {
			inject: func(f *fixture, _ string) {
				f.group = f.AddGroup(f.Group("acme.example"), "newcomers", f.clock.Now())
				f.SetBehavior(func(b *emulator.Behavior) { b.NewGroupDelay = 6 * time.Second })
				f.Inject(emulator.Fault{Method: "GetGroup", Code: codes.NotFound, Times: 2})
			},
			// At 0, 1, 3 and 7 seconds.
			create: &outcome{calls: 4, live: 2},
		},
		"PermissionDenied in a group that is not visible": {
			inject: func(f *fixture, method string) {
				f.hide(f.group, week)
				f.Inject(emulator.Fault{Method: method, Code: codes.PermissionDenied})
			},
			// At 0, 1, 3, 7 and 15 seconds.
			create: &outcome{code: codes.PermissionDenied, calls: 5, live: 1, check: waited(hiddenGroup)},
			del:    refusedWithout("group_invites.delete"), rest: refusedWithout("group_invites.list"),
		},
		"Unauthenticated once": {
			inject: fails(before, codes.Unauthenticated, 1),
			create: &outcome{calls: 2, live: 2, check: discardedOne},
			del:    &outcome{calls: 2, live: 0, check: discardedOne},
			rest:   &outcome{calls: 2, live: 1, check: discardedOne},
		},
		"Unauthenticated for good": {
			inject: fails(before, codes.Unauthenticated, 0),
			rest:   &outcome{code: codes.Unauthenticated, calls: 2, live: 1, check: discardedOne},
		},
		"NotFound of the group": {
			inject: func(f *fixture, _ string) { f.DeleteGroup(f.group) },
			create: &outcome{code: codes.NotFound, calls: 1, says: []string{"was not found"}},
			get:    &outcome{code: codes.NotFound, calls: 1},
			del:    &outcome{calls: 1}, list: &outcome{calls: 1},
		},
		"FailedPrecondition": {
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, Code: codes.FailedPrecondition, Details: []proto.Message{
					&errdetails.ErrorInfo{Reason: "SUSPENDED"},
					&errdetails.PreconditionFailure{Violations: []*errdetails.PreconditionFailure_Violation{
						{Type: "BILLING", Subject: "acme.example", Description: "is suspended"},
					}},
				}})
			},
			rest: &outcome{code: codes.FailedPrecondition, calls: 1, live: 1, check: violation("SUSPENDED", "acme.example", "is suspended")},
		},
		"InvalidArgument with violations": {
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, Code: codes.InvalidArgument, Details: []proto.Message{
					&errdetails.ErrorInfo{Reason: "INVALID"},
					&errdetails.BadRequest{FieldViolations: []*errdetails.BadRequest_FieldViolation{
						{Field: "group_invite.ttl", Description: "is too long\x1b[31m"},
					}},
				}})
			},
			// The create is retried without its mark.
			create: &outcome{code: codes.InvalidArgument, calls: 2, live: 1, check: violation("INVALID", "group_invite.ttl", `is too long\u001b[31m`)},
			rest:   &outcome{code: codes.InvalidArgument, calls: 1, live: 1, check: violation("INVALID", "group_invite.ttl", `is too long\u001b[31m`)},
		},
		"answer without a uid": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Uid = "" }),
			create: createdAgain, get: unusableWith(1, "another invite"), list: unusableWith(1, "not the UIDP"),
		},
		"answers without a uid for good": {
			inject: spoils(0, func(i *iam.GroupInvite) { i.Uid = "" }),
			create: unusableWith(2, "no uid", wasDeleted),
		},
		"answer with the uid of another group": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Uid = strings.Repeat("0", 40) + "/0123456789abcdef" }),
			create: createdAgain, get: unusableWith(1, "another invite"), list: fine,
		},
		"answer whose uid is not a UIDP": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Uid += "/../.." }),
			create: createdAgain, get: unusableWith(1, "another invite"), list: unusableWith(1, "not the UIDP"),
		},
		"answer without a code": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Code = "" }),
			create: unusableWith(1, "no code", wasDeleted), get: fine, list: fine,
		},
		"answer without timestamps": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.CreateTime, i.ExpirationTime = nil, nil }),
			create: unusableWith(1, "is missing", wasDeleted),
			get:    unusableWith(1, "is missing"), list: unusableWith(1, "is missing"),
		},
		"answer with the year 10000": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.ExpirationTime = year10000 }),
			create: unusableWith(1, "expiration_time is not a valid time", wasDeleted),
			get:    unusableWith(1, "expiration_time is not a valid time"), list: unusableWith(1, "expiration_time is not a valid time"),
		},
		"answer with a huge code": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Code = strings.Repeat("A", 8<<20) }),
			create: unusableWith(1, "8388608 bytes", wasDeleted),
			get:    unusableWith(1, "8388608 bytes"), list: unusableWith(1, "8388608 bytes"),
		},
		"answer with a huge address": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.Email = strings.Repeat("a", 8<<20) }),
			create: unusableWith(1, wasDeleted),
			get:    unusableWith(1, "bytes long"), list: unusableWith(1, "bytes long"),
		},
		"answer with another role": {
			inject: spoils(1, func(i *iam.GroupInvite) { i.RoleUid = strings.Repeat("0", 40) }),
			create: unusableWith(1, "another role", wasDeleted),
		},
		"hang before commit": {
			setup:  func(testing.TB) func(*setup) { return requestTimeout(time.Second) },
			inject: func(f *fixture, method string) { f.Inject(emulator.Fault{Method: method, Hang: true}) },
			create: notCreated(codes.DeadlineExceeded), rest: &outcome{code: codes.DeadlineExceeded, calls: 2, live: 1},
		},
		"hang once before commit": {
			setup:  func(testing.TB) func(*setup) { return requestTimeout(2 * time.Second) },
			inject: func(f *fixture, method string) { f.Inject(emulator.Fault{Method: method, Hang: true, Times: 1}) },
			create: notCreated(codes.DeadlineExceeded), del: deletedAgain, rest: retriedOnce,
		},
		"hang after commit": {
			setup: func(testing.TB) func(*setup) { return requestTimeout(time.Second) },
			inject: func(f *fixture, method string) {
				f.Inject(emulator.Fault{Method: method, When: after, Hang: true, Times: 1})
			},
			create: createdAgain, del: deletedAgain, rest: retriedOnce,
		},
	}
	for _, code := range []codes.Code{codes.DeadlineExceeded, codes.Internal, codes.Unknown, codes.Aborted} {
		cases[code.String()+" before commit"] = faultCase{
			inject: fails(before, code, 1), create: notCreated(code), del: deletedAgain, rest: retriedOnce,
		}
		cases[code.String()+" after commit"] = faultCase{
			inject: fails(after, code, 1), create: createdAgain, del: deletedAgain, rest: retriedOnce,
		}
	}
	for _, code := range []codes.Code{codes.Canceled, codes.DataLoss} {
		cases[code.String()+" before commit"] = faultCase{
			inject: fails(before, code, 1), create: notCreated(code), rest: refusedOnce(code, "on purpose"),
		}
		cases[code.String()+" after commit"] = faultCase{
			inject: fails(after, code, 1), create: createdAgain,
			del: &outcome{code: code, calls: 1}, rest: refusedOnce(code, "on purpose"),
		}
	}
	return cases
}

// errorCode returns the code of an operation's error.
func errorCode(err error) codes.Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return status.Code(err)
}

func waited(least time.Duration) func(*testing.T, *fixture, *Error) {
	return func(t *testing.T, f *fixture, _ *Error) {
		t.Helper()
		if got := f.waits.total(); got < least || got > least+least/2+time.Second {
			t.Errorf("waited for %s, want about %s", got, least)
		}
	}
}

func discardedOne(t *testing.T, f *fixture, _ *Error) {
	t.Helper()
	if got := len(f.tokens.discarded); got != 1 {
		t.Errorf("%d tokens were discarded, want 1", got)
	}
}

func violation(reason, field, description string) func(*testing.T, *fixture, *Error) {
	return func(t *testing.T, _ *fixture, e *Error) {
		t.Helper()
		if e.Reason != reason || len(e.Violations) != 1 || e.Violations[0] != (Violation{Field: field, Description: description}) {
			t.Errorf("reason %q, violations %q; want %q and %q: %q", e.Reason, e.Violations, reason, field, description)
		}
	}
}

func refusedWithout(capability string) *outcome {
	o := refusedOnce(codes.PermissionDenied)
	o.check = func(t *testing.T, _ *fixture, e *Error) {
		t.Helper()
		if e.Capability != capability {
			t.Errorf("the capability %q is named, want %q", e.Capability, capability)
		}
	}
	return o
}

func TestClient_faults(t *testing.T) {
	t.Parallel()
	for name, fault := range faultCases() {
		for method, want := range map[string]*outcome{
			"CreateGroupInvite": fault.create, "GetGroupInvite": fault.get, "DeleteGroupInvite": fault.del, "ListGroupInvites": fault.list,
		} {
			if want == nil {
				want = fault.rest
			}
			if want == nil {
				continue
			}
			t.Run(name+"/"+method, func(t *testing.T) {
				t.Parallel()
				var options []func(*setup)
				if fault.setup != nil {
					options = append(options, fault.setup(t))
				}
				f := start(t, options...)
				other := f.spec()
				other.Email = "jo@else.example"
				old := f.add(other)
				if fault.inject != nil {
					fault.inject(f, method)
				}

				began := time.Now()
				err := faultOperations[method](t.Context(), f, old.UID)

				if took := time.Since(began); took > 20*time.Second {
					t.Errorf("it took %s", took)
				}
				if got := errorCode(err); got != want.code {
					t.Fatalf("ended with %s (%v), want %s", got, err, want.code)
				}
				f.wantCalls(t, method, want.calls)
				if got := len(f.Live()); got != want.live {
					t.Errorf("%d invites are valid, want %d", got, want.live)
				}
				var e *Error
				if err != nil {
					e = problem(t, err)
					wantText(t, e.Error(), want.says...)
					if e.API != f.client.api || e.Doing == "" {
						t.Errorf("the error names the API %q and the attempt %q", e.API, e.Doing)
					}
					if strings.Contains(e.Error(), f.tokens.current) {
						t.Errorf("the error contains the token")
					}
				}
				if want.check != nil {
					want.check(t, f, e)
				}
			})
		}
	}
}
