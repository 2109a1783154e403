//go:build unix

package docs_test

import (
	"bytes"
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/acctest"
)

const (
	readme = "README.md"
	// repository is what the README has one clone.
	repository = "https://github.com/chainguard-invites/terraform-provider-chainguard"
)

// All that the README has one run is run here as it stands, in its order, in an empty folder: what comes before the
// emulator in one shell, which stays busy with that, and the rest in another. UPDATE_README=1 writes what the demo
// printed into it.
func TestREADME_commands_workAsWritten(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a clone")
	}
	page := readPage(t, readme)
	scripts, configurations, texts := page.blocksOf("sh"), page.blocksOf("hcl"), page.blocksOf("text")
	serving := slices.IndexFunc(scripts, func(script string) bool { return strings.Contains(script, "emulator serve") })
	if len(configurations) != 1 || len(texts) != 2 || serving < 0 || serving+3 != len(scripts) {
		t.Fatal("README.md is not the one that this test knows")
	}
	cli, err := acctest.NewCLI(t.TempDir())
	if err != nil {
		t.Skip(err)
	}
	prepareShell(t, cli)
	checkout := filepath.Join(cli.Dir, "terraform-provider-chainguard")

	first := shell(t, cli, strings.Join(scripts[:serving+1], ""))
	var printed bytes.Buffer
	first.Stdout, first.Stderr = &printed, &printed
	first.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Its terminal's Ctrl-C is for all that it runs.
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-first.Process.Pid, syscall.SIGKILL) }) // For where it fails.
	ended := make(chan error, 1)
	go func() { ended <- first.Wait() }()
	for started := false; !started; {
		select {
		case err := <-ended:
			t.Fatalf("the first terminal: %v\n%s", err, printed.String())
		case <-time.After(100 * time.Millisecond): // Programs of their own have a clock of their own.
			_, err := os.Stat(filepath.Join(checkout, "platform.env"))
			started = err == nil
		}
	}

	second := shell(t, cli, strings.Join([]string{
		"set -e\ncd '" + checkout + "'\n", scripts[serving+1],
		"cat > main.tf <<'END'\n" + configurations[0] + "END\n", scripts[serving+2], "git -C '" + checkout + "' status --porcelain\n",
	}, ""))
	second.Stdin = strings.NewReader("yes\n")
	said, err := second.CombinedOutput()
	if err != nil || !strings.Contains(string(said), "Apply complete! Resources: 1 added") {
		// The end of it is the code, which is good for the emulator only.
		t.Errorf("the second terminal: %v\n%s", err, said)
	}
	if strings.Contains(string(said), "?? ") {
		t.Errorf("git would add what the commands leave in the checkout:\n%s", said)
	}
	if err := syscall.Kill(-first.Process.Pid, syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("the first terminal ends before it is interrupted")
	}

	demo := regexp.MustCompile(`(?s)The life of an invite code, .*what the provider promises\n`).FindString(printed.String())
	shown := texts[1]
	if os.Getenv("UPDATE_README") != "" {
		content := strings.Replace(readFile(t, readme), "```text\n"+shown+"```", "```text\n"+demo+"```", 1)
		if err := os.WriteFile(filepath.Join(root, readme), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		shown = demo
	}
	if diff := cmp.Diff(strings.Split(normalDemo(demo), "\n"), strings.Split(normalDemo(shown), "\n")); diff != "" {
		t.Errorf("`make demo` prints something else than README.md says; `make readme` writes it (-demo +README):\n%s", diff)
	}
	if !strings.Contains(normalDemo(shown), normalDemo(texts[0])) {
		t.Error("the lines of the demo at the top of README.md are not in what it prints")
	}
}

// prepareShell makes the folder and the environment in which the README's reader is thought to be: programs are found,
// Terraform takes plugins from the home folder, and the repository is the working copy with all that it holds.
func prepareShell(t *testing.T, cli *acctest.CLI) {
	t.Helper()
	for _, name := range []string{"TF_CLI_CONFIG_FILE", "TF_INPUT", "TF_IN_AUTOMATION"} {
		cli.Setenv(name, "")
	}
	allowGo(t, cli)
	cli.PutOnPath(t, map[string]string{"terraform": acctest.Runs(cli.Executable)})

	origin := t.TempDir()
	git := func(folder string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "git", args...)
		cmd.Dir = folder
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Skipf("git %s: %v\n%s", args[0], err, out)
		}
		return string(out)
	}
	for name := range strings.SplitSeq(strings.Trim(git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"), "\x00"), "\x00") {
		content, err := os.ReadFile(filepath.Join(root, name))
		if os.IsNotExist(err) {
			continue // It is deleted, and not committed yet.
		}
		info, statErr := os.Stat(filepath.Join(root, name))
		if err != nil || statErr != nil {
			t.Fatal(err, statErr)
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(origin, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(origin, name), content, info.Mode().Perm()); err != nil {
			t.Fatal(err)
		}
	}
	git(origin, "init", "--quiet")
	git(origin, "add", "--all")
	git(origin, "-c", "user.name=test", "-c", "user.email=test@example.com", "commit", "--quiet", "--message=test")
	for name, value := range map[string]string{"COUNT": "1", "KEY_0": "url." + origin + ".insteadOf", "VALUE_0": repository} {
		cli.Setenv("GIT_CONFIG_"+name, value)
	}
}

// allowGo lets what the CLI's environment runs build Go programs, as this process can.
func allowGo(t *testing.T, cli *acctest.CLI) {
	t.Helper()
	for _, name := range []string{"GOFLAGS", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY"} {
		cli.Setenv(name, os.Getenv(name))
	}
	for _, name := range []string{"GOCACHE", "GOMODCACHE", "GOPROXY", "GOSUMDB", "GONOSUMDB"} {
		value, err := exec.CommandContext(t.Context(), "go", "env", name).Output()
		if err != nil {
			t.Fatal(err)
		}
		cli.Setenv(name, strings.TrimSpace(string(value)))
	}
}

// shell is one that runs a script in the folder of the CLI, up to its first failure.
func shell(t *testing.T, cli *acctest.CLI, script string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	t.Cleanup(cancel)
	return cli.Program(ctx, "sh", "-ec", script)
}

// normalDemo takes out of the demo's output what is another one each time, and the CLI's name.
func normalDemo(printed string) string {
	replacements := map[string]string{
		`tofu`:                         "terraform",
		`(Terraform|OpenTofu) v\S+`:    "CLI",
		`127\.0\.0\.1:\d+`:             "ADDRESS",
		`[0-9a-f]{40}(/[0-9a-f]{16})?`: "UIDP",
		`after \d+s`:                   "after a while",
		`(?m)^    \d+$`:                "    LENGTH",
	}
	for _, expression := range slices.Sorted(maps.Keys(replacements)) {
		printed = regexp.MustCompile(expression).ReplaceAllString(printed, replacements[expression])
	}
	return printed
}
