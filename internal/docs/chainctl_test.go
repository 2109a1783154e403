package docs_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

// chainctlFlags are chainctl's commands that the documentation uses, with their flags. Those of `auth login`, `iam
// identities create` and `iam roles create` are from Chainguard's reference. The others are what this project knows of
// chainctl, so for them the test only finds what differs between pages.
var chainctlFlags = map[string][]string{
	"auth login": {
		"audience", "headless", "identity", "identity-provider", "identity-token", "invite-code", "org-name",
		"prefer-ambient-credentials", "refresh", "social-login",
	},
	"auth token":                     {"audience"},
	"auth configure-refresh-service": {},
	"config set":                     {},
	"config validate":                {},
	"iam auth-policy":                {},
	"iam identities create": {
		"audience", "audience-pattern", "description", "identity-issuer", "identity-issuer-pattern", "parent", "role", "subject",
		"subject-pattern",
	},
	"iam identities list":    {"parent"},
	"iam invites":            {"role", "ttl", "email", "single-use", "output"}, // In the table of the guide on migrating.
	"iam invites create":     {"role", "ttl", "email", "single-use", "output"},
	"iam invites delete":     {"expired"},
	"iam invites list":       {"parent"},
	"iam organizations list": {},
	"iam roles create":       {"capabilities", "description", "parent"},
	"iam roles list":         {"parent"},
}

var (
	chainctlCall = regexp.MustCompile(`\bchainctl ((?:auth|config|iam)\b[^"#|)` + "`" + `\n]*)`)
	flag         = regexp.MustCompile(`(?:^| )--?([a-z-]+)`)
)

// Wherever a page or an example names a command of chainctl, in code or in prose, chainctl has it.
func TestDocs_chainctlCommands_areThoseOfChainctl(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, name := range textFiles(t) {
		if slices.Contains([]string{".go", ".tmpl"}, filepath.Ext(name)) {
			continue // What is in these reaches a page, or is a test.
		}
		text := strings.ReplaceAll(readFile(t, name), "\\\n", " ")
		for _, match := range chainctlCall.FindAllStringSubmatch(text, -1) {
			command, flags, known := splitChainctl(strings.Fields(match[1]))
			if !known {
				t.Errorf("%s: chainctl has no command %q", name, match[1])
				continue
			}
			used[command] = true
			for _, f := range flag.FindAllStringSubmatch(" "+strings.Join(flags, " "), -1) {
				if !slices.Contains(chainctlFlags[command], f[1]) {
					t.Errorf("%s: `chainctl %s` has no flag --%s", name, command, f[1])
				}
			}
		}
	}
	for command := range chainctlFlags {
		if !used[command] {
			t.Errorf("`chainctl %s` is nowhere in the documentation any more", command)
		}
	}
}

// splitChainctl splits arguments into the longest command that is known and what follows.
func splitChainctl(args []string) (command string, rest []string, known bool) {
	for length := min(3, len(args)); length > 1; length-- {
		command = strings.Join(args[:length], " ")
		if _, known = chainctlFlags[command]; known {
			return command, args[length:], true
		}
	}
	return "", nil, false
}

// The guide on a CI identity has everything twice, for Terraform and for chainctl. A shell that runs its commands hands
// chainctl the same role and the same identities as the configurations describe.
func TestCIIdentity_chainctlCommands_createWhatTheConfigurationsDo(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the guide's commands are for a POSIX shell")
	}
	page := readPage(t, "docs/guides/ci-identity.md")
	cli, err := acctest.NewCLI(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	noted := filepath.Join(t.TempDir(), "calls")
	cli.PutOnPath(t, map[string]string{"chainctl": "printf '%s\\n' \"$@\" . >> '" + noted + "'"})
	cli.RunScript(t, strings.Join(page.blocksOf("shell"), ""))
	content, err := os.ReadFile(noted)
	if err != nil {
		t.Fatal(err)
	}

	var roles []string
	var identities []map[string]string
	for call := range strings.SplitSeq(strings.TrimSuffix(string(content), "\n.\n"), "\n.\n") {
		command, args, _ := splitChainctl(strings.Split(call, "\n"))
		flags := map[string]string{}
		for _, arg := range args {
			if name, value, isFlag := strings.Cut(strings.TrimPrefix(arg, "--"), "="); isFlag {
				flags[name] = value
			}
		}
		if flags["parent"] != "acme.example" {
			t.Errorf("`chainctl %s` has the parent %q", command, flags["parent"])
		}
		switch command {
		case "iam roles create":
			roles = append(roles, flags["capabilities"])
		case "iam identities create":
			if flags["role"] != "inviter" {
				t.Errorf("the identity is bound to the role %q", flags["role"])
			}
			identity := map[string]string{}
			for _, name := range []string{"identity-issuer", "subject", "subject-pattern", "audience"} {
				if value, ok := flags[name]; ok {
					identity[strings.ReplaceAll(strings.TrimPrefix(name, "identity-"), "-", "_")] = value
				}
			}
			identities = append(identities, identity)
		default:
			t.Errorf("the guide runs chainctl with %q", call)
		}
	}

	var configuredRoles []string
	var configured []map[string]string
	for _, text := range page.blocksOf("terraform") {
		file, problems := hclsyntax.ParseConfig([]byte(text), "ci-identity.md", hcl.InitialPos)
		if problems.HasErrors() {
			t.Fatal(problems)
		}
		for _, block := range file.Body.(*hclsyntax.Body).Blocks {
			switch {
			case block.Type != "resource":
			case block.Labels[0] == "chainguard_role":
				source := string(block.Body.Attributes["capabilities"].Expr.Range().SliceBytes([]byte(text)))
				var capabilities []string
				if err := json.Unmarshal([]byte(regexp.MustCompile(`,\s*\]`).ReplaceAllString(source, "]")), &capabilities); err != nil {
					t.Fatal(err)
				}
				configuredRoles = append(configuredRoles, strings.Join(capabilities, ","))
			case block.Labels[0] == "chainguard_identity":
				identity := map[string]string{}
				for name, attribute := range block.Body.Blocks[0].Body.Attributes {
					source := string(attribute.Expr.Range().SliceBytes([]byte(text)))
					identity[name] = strings.ReplaceAll(strings.Trim(source, `"`), "${var.repository}", "acme/infra")
				}
				configured = append(configured, identity)
			}
		}
	}
	if want, got := mustJSON(t, configuredRoles), mustJSON(t, roles); want != got || len(roles) != 1 {
		t.Errorf("chainctl creates roles with %s, Terraform with %s", got, want)
	}
	if want, got := mustJSON(t, configured), mustJSON(t, identities); want != got || len(identities) != 3 {
		t.Errorf("chainctl creates the identities %s, Terraform %s", got, want)
	}
}

func mustJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
