package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/emulator"
)

// program builds the program, and returns its path.
func program(t *testing.T) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "emulator")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", file, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the program: %v\n%s", err, out)
	}
	return file
}

// output runs the program to its end.
func output(t *testing.T, program, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	command := exec.CommandContext(t.Context(), program, args...)
	command.Stdin, command.Stdout, command.Stderr = strings.NewReader(stdin), &out, &complaints
	if err := command.Run(); command.ProcessState == nil {
		t.Fatal(err)
	}
	return command.ProcessState.ExitCode(), out.String(), complaints.String()
}

// call makes a REST call, and returns the answer.
func call(t *testing.T, method, url, token, body string) (status int, answer map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, answer
}

// onlyUID returns the uid of the one resource of a list.
func onlyUID(t *testing.T, list any) string {
	t.Helper()
	resources, ok := list.([]any)
	if !ok || len(resources) != 1 {
		t.Fatalf("listed %v, want one resource", list)
	}
	resource, ok := resources[0].(map[string]any)
	if !ok {
		t.Fatalf("listed %v, want a resource", list)
	}
	return fmt.Sprint(resource["uid"])
}

func TestTheProgramFromStartToEnd(t *testing.T) {
	t.Parallel()
	program, envFile := program(t), filepath.Join(t.TempDir(), "emulator.env")

	serving := exec.CommandContext(t.Context(), program, "serve", "--env-file", envFile,
		"--fault", "CreateGroupInvite:before:UNAVAILABLE:times=1")
	stdout, err := serving.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	serving.Stderr = &complaints
	if err := serving.Start(); err != nil {
		t.Fatal(err)
	}
	// What it says first says that it serves; the rest is read at the end.
	lines := bufio.NewReader(stdout)
	first, err := lines.ReadString('\n')
	if err != nil || !strings.Contains(first, "http://127.0.0.1:") {
		t.Fatalf("it says %q, %v", first, err)
	}

	env := map[string]string{}
	text, err := os.ReadFile(envFile)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		env[name] = value
	}
	api, token := env["CHAINGUARD_PLATFORM_API"], env["CHAINGUARD_TOKEN"]
	if len(env) != 4 || api == "" || token == "" || env["CHAINGUARD_PLATFORM_ISSUER"] != api || env["CHAINGUARD_PLATFORM_AUDIENCE"] != api {
		t.Fatalf("the environment file holds the names and values %q", text)
	}
	if info, err := os.Stat(envFile); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the environment file is %v, %v", info.Mode(), err)
	}

	_, groups := call(t, http.MethodGet, api+"/iam/v2/groups?name=platform", token, "")
	folder := onlyUID(t, groups["groups"])
	_, roles := call(t, http.MethodGet, api+"/iam/v2/roles?name=viewer", token, "")
	role := onlyUID(t, roles["roles"])
	create := func() (int, map[string]any) {
		return call(t, http.MethodPost, api+"/iam/v2/groupInvites/"+folder, token,
			`{"roleUid":"`+role+`","ttl":"3600s","email":"kim@example.com","singleUse":true}`)
	}
	if status, _ := create(); status != http.StatusServiceUnavailable {
		t.Errorf("the fault did not strike: %d", status)
	}
	_, invite := create()
	code := fmt.Sprint(invite["code"])

	if status, _, said := output(t, program, "", "accept", "--api", api, "--email", "lee@example.com", code); status != 1 ||
		!strings.Contains(said, "another email address") || strings.Contains(said, code) {
		t.Errorf("someone else accepts: %d %s", status, said)
	}
	if status, said, complaint := output(t, program, code+"\n", "accept", "--api", api, "--email", "kim@example.com", "-"); status != 0 ||
		!strings.Contains(said, "kim@example.com joined the group "+folder) || !strings.HasSuffix(said, ", with the role viewer\n") {
		t.Errorf("the invitee accepts: %d %s %s", status, said, complaint)
	}
	if status, _ := call(t, http.MethodGet, fmt.Sprint(api, "/iam/v2/groupInvites/", invite["uid"]), token, ""); status != http.StatusNotFound {
		t.Errorf("the accepted invite: %d", status)
	}

	_, who := call(t, http.MethodGet, api+"/auth/v1/ok", token, "")
	identity := fmt.Sprint(who["subject"])
	for lifetime, want := range map[string]int{"1h": http.StatusOK, "-1s": http.StatusUnauthorized} {
		status, printed, complaint := output(t, program, "", "token", "--identity", identity, "--audience", api, "--lifetime", lifetime)
		if status != 0 {
			t.Fatalf("token: %d %s", status, complaint)
		}
		if status, answer := call(t, http.MethodGet, api+"/iam/v2/groups", strings.TrimSpace(printed), ""); status != want {
			t.Errorf("with a token of %s: %d %v", lifetime, status, answer)
		}
	}

	if status, _, said := output(t, program, "", "serve", "--listen", strings.TrimPrefix(api, "http://")); status != 1 ||
		strings.Count(said, "\n") != 1 || !strings.Contains(said, "cannot listen") {
		t.Errorf("a taken port: %d %s", status, said)
	}

	if err := serving.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(lines)
	if err != nil {
		t.Fatal(err)
	}
	if err := serving.Wait(); err != nil || complaints.Len() > 0 {
		t.Errorf("it ended with %v and %s", err, &complaints)
	}
	for _, want := range []string{
		"export CHAINGUARD_PLATFORM_API=" + api + "\n",
		"export CHAINGUARD_TOKEN=" + token + "\n",
		"acme.example/platform  " + folder, "acme.example: invite-manager", "viewer", role, "admin", identity,
	} {
		if !strings.Contains(string(rest), want) {
			t.Errorf("it did not say %q but\n%s", want, rest)
		}
	}
}

func TestCommand_badInputIsOneError(t *testing.T) {
	t.Parallel()
	badSeed := filepath.Join(t.TempDir(), "seed.yaml")
	if err := os.WriteFile(badSeed, []byte("organizations:\n  - nam: acme.example\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	identity := strings.Repeat("0", 40)
	tests := map[string]struct {
		args   []string
		status int
		want   string
	}{
		"no command":               {nil, 2, "Usage:"},
		"an unknown command":       {[]string{"sing"}, 2, `there is no command "sing"`},
		"an unknown flag":          {[]string{"serve", "--port", "1"}, 2, "-port"},
		"an argument too many":     {[]string{"serve", "now"}, 2, "takes nothing after its flags"},
		"an argument too few":      {[]string{"accept", "--api", "http://127.0.0.1:1"}, 2, "takes one argument"},
		"a bad fault":              {[]string{"serve", "--fault", "GetGroupInvite"}, 2, "METHOD:WHEN:WHAT"},
		"no loopback":              {[]string{"serve", "--listen", "0.0.0.0:0"}, 1, "serves loopback only"},
		"a bad seed":               {[]string{"serve", "--seed", badSeed}, 1, badSeed + ": yaml: unmarshal errors:\n  line 2: field nam not found"},
		"a missing seed":           {[]string{"serve", "--seed", badSeed + "x"}, 1, "no such file"},
		"no place for the file":    {[]string{"serve", "--env-file", badSeed + "/x"}, 1, "writing the environment file"},
		"a token for no one":       {[]string{"token", "--audience", "http://127.0.0.1:1"}, 2, "--identity must be a UIDP"},
		"a token for no audience":  {[]string{"token", "--identity", identity}, 2, "--audience is missing"},
		"an API that is elsewhere": {[]string{"accept", "--api", "http://192.0.2.1:80", "x"}, 2, "not on this machine"},
		"no API":                   {[]string{"accept", "x"}, 2, "must be the emulator's URL"},
		"an empty code":            {[]string{"accept", "--api", "http://127.0.0.1:1", " "}, 2, "code is empty"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var stdout, stderr bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			defer cancel()
			status := run(ctx, test.args, strings.NewReader(""), &stdout, &stderr)
			if status != test.status || !strings.Contains(stderr.String(), test.want) || stdout.Len() > 0 {
				t.Errorf("ended with %d, said %q and complained %q; want %d and %q", status, &stdout, &stderr, test.status, test.want)
			}
		})
	}
}

func TestCommand_helpExplainsEveryFlag(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"serve":  {"--listen", "127.0.0.1:8080", "--seed", "seed.yaml", "--env-file", "emulator.env", "--fault", "CreateGroupInvite:after:UNAVAILABLE:times=1"},
		"token":  {"--identity", "--audience", "http://127.0.0.1:8080", "--lifetime", "1h", "--issuer"},
		"accept": {"--api", "--email", "kim@example.com", "- < code.txt"},
	}
	for command, wants := range tests {
		var stdout, stderr bytes.Buffer
		if status := run(t.Context(), []string{command, "--help"}, nil, &stdout, &stderr); status != 0 || stderr.Len() > 0 {
			t.Errorf("%s --help: %d %s", command, status, &stderr)
		}
		for _, want := range wants {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s --help says nothing of %q", command, want)
			}
		}
	}
	var stdout bytes.Buffer
	if status := run(t.Context(), []string{"--help"}, nil, &stdout, io.Discard); status != 0 || !strings.Contains(stdout.String(), "emulator accept") {
		t.Errorf("--help: %d %s", status, &stdout)
	}
}

// The seed that the help shows is one that works.
func TestTheSeedInTheHelpWorks(t *testing.T) {
	t.Parallel()
	_, text, found := strings.Cut(serveExplanation, "is optional:\n\n")
	text, _, end := strings.Cut(text, "\n\n")
	if !found || !end {
		t.Fatal("the help shows no seed")
	}
	seed, err := emulator.ParseSeed([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if len(seed.Organizations) != 1 || len(seed.Identities) != 2 || len(seed.Invites) != 1 {
		t.Errorf("it is %+v", seed)
	}
}

func TestFaultSpecs(t *testing.T) {
	t.Parallel()
	good := map[string]emulator.Fault{
		"CreateGroupInvite:after:UNAVAILABLE:times=1":    {Method: "CreateGroupInvite", When: emulator.AfterCommit, Code: codes.Unavailable, Times: 1},
		"*:before:delay:delay=50ms":                      {Delay: 50 * time.Millisecond},
		"Exchange:before:hang":                           {Method: "Exchange", Hang: true},
		"GetGroupInvite:after:drop:times=2":              {Method: "GetGroupInvite", When: emulator.AfterCommit, Drop: true, Times: 2},
		"*:before:resource_exhausted:retry-after=2s":     {Code: codes.ResourceExhausted, RetryAfter: 2 * time.Second},
		"*:before:ABORTED:probability=0.5:message=later": {Code: codes.Aborted, Probability: 0.5, Message: "later"},
		"*:before:INTERNAL:probability=0.1:seed=7":       {Code: codes.Internal, Probability: 0.1, Seed: 7},
	}
	for spec, want := range good {
		got, err := parseFault(spec)
		if err != nil || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
			t.Errorf("%s: %+v, %v", spec, got, err)
		}
	}
	for spec, want := range map[string]string{
		"":                                "METHOD:WHEN:WHAT",
		"CreateInvite:after:UNAVAILABLE":  "short name of an RPC",
		"*:during:UNAVAILABLE":            "neither before nor after",
		"*:before:BROKEN":                 "a gRPC status",
		"*:before:OK":                     "a gRPC status",
		"*:before:delay":                  "how long",
		"*:before:hang:twice":             "not one of the keys",
		"*:before:hang:times=0":           "at least 1",
		"*:before:hang:times=x":           "times=x",
		"*:before:delay:delay=-1s":        "positive",
		"*:before:INTERNAL:probability=2": "at most 1",
		"*:before:INTERNAL:seed=-1":       "seed=-1",
		"*:before:INTERNAL:retry-after=1": "retry-after=1",
	} {
		if _, err := parseFault(spec); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want an error with %q", spec, err, want)
		}
	}
}

func TestServe_environmentFileReplacesAnOldOne(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "emulator.env")
	if err := os.WriteFile(file, []byte("OLD=1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := writeEnvironment(file, map[string]string{"NEW": "2"}); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "NEW=2\n" {
		t.Errorf("it holds %q, %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("it is %v, %v", info.Mode(), err)
	}
	if left, _ := filepath.Glob(file + ".*"); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A free port is served at once, and given back when the context ends.
func TestServeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out, in := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"serve"}, nil, in, io.Discard)
		_ = in.Close() // of a pipe: never fails
	}()
	lines := bufio.NewScanner(out)
	lines.Scan()
	address := lines.Text()[strings.LastIndex(lines.Text(), "/")+1:]
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for lines.Scan() {
		if strings.Contains(lines.Text(), "Interrupt it") {
			cancel()
		}
	}
	if got := <-status; got != 0 {
		t.Errorf("ended with %d", got)
	}
	if err := conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection to it outlives it: %v", err)
	}
}
