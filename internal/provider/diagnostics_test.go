package provider

import (
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/platform"
)

// A call may time out because of a proxy, or because the platform is slow.
func TestAdvice_timeout(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*platform.Error{
		"no answer":                   {Code: codes.DeadlineExceeded},
		"a response with that status": {Code: codes.DeadlineExceeded, Answered: true},
	} {
		e.API = "https://api.example"
		text := advice(e)
		for _, want := range []string{"https://api.example", "`HTTPS_PROXY`", "HTTP/2", "`request_timeout`", "`timeouts`"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the advice does not mention %s: %s", name, want, text)
			}
		}
	}
}
