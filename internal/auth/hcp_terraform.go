package auth

import (
	"context"
	"fmt"
	"strings"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/clock"
)

// hcpTerraform reads the workload identity token that HCP Terraform issues to a run, preferably the one tagged
// CHAINGUARD.
type hcpTerraform struct {
	audience string
	getenv   func(string) string
	clock    clock.Clock
}

func (h hcpTerraform) identityToken(context.Context) (string, error) {
	for _, name := range []string{"TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD", "TFC_WORKLOAD_IDENTITY_TOKEN"} {
		identityToken := strings.TrimSpace(h.getenv(name))
		if identityToken == "" {
			continue
		}
		if err := stillValid(identityToken, h.clock); err != nil {
			return "", fmt.Errorf("the token in %s %w: HCP Terraform issues one for each plan and each apply, so this run is too long for it", name, err)
		}
		return identityToken, nil
	}
	return "", fmt.Errorf("TFC_WORKLOAD_IDENTITY_TOKEN_CHAINGUARD and TFC_WORKLOAD_IDENTITY_TOKEN are not set. In a workspace, "+
		"set TFC_WORKLOAD_IDENTITY_AUDIENCE_CHAINGUARD to %s", h.audience)
}
