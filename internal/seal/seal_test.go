package seal

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

const code = redact.Secret("eyJjb2RlIjoiYzRuNHJ5LWNvZGUifQ")

// keyPair is a public key as written in a configuration, and its private key file.
type keyPair struct{ public, private string }

func sshKeyPair(t testing.TB, private any, comment string) keyPair {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, comment)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	return keyPair{strings.TrimSpace(line + " " + comment), string(pem.EncodeToMemory(block))}
}

func newED25519(t testing.TB) keyPair {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sshKeyPair(t, private, "kim@laptop")
}

func newRSA(t testing.TB) keyPair {
	t.Helper()
	private, err := rsa.GenerateKey(rand.Reader, minRSABits)
	if err != nil {
		t.Fatal(err)
	}
	return sshKeyPair(t, private, "kim@desktop")
}

func newECDSA(t testing.TB) keyPair {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return sshKeyPair(t, private, "kim@work")
}

func newAge(t testing.TB) keyPair {
	t.Helper()
	identity, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{identity.Recipient().String(), identity.String()}
}

func newPostQuantum(t testing.TB) keyPair {
	t.Helper()
	identity, err := age.GenerateHybridIdentity()
	if err != nil {
		t.Fatal(err)
	}
	return keyPair{identity.Recipient().String(), identity.String()}
}

func (k keyPair) identity(t *testing.T) age.Identity {
	t.Helper()
	if strings.HasPrefix(k.private, "AGE-") {
		identities, err := age.ParseIdentities(strings.NewReader(k.private))
		if err != nil {
			t.Fatal(err)
		}
		return identities[0]
	}
	identity, err := agessh.ParseIdentity([]byte(k.private))
	if err != nil {
		t.Fatal(err)
	}
	return identity
}

func decrypt(t *testing.T, sealed string, identity age.Identity) (string, error) {
	t.Helper()
	opened, err := age.Decrypt(armor.NewReader(strings.NewReader(sealed)), identity)
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(opened)
	return string(text), err
}

func mustParse(t *testing.T, texts ...string) Recipients {
	t.Helper()
	recipients, err := ParseRecipients(texts)
	if err != nil {
		t.Fatal(err)
	}
	return recipients
}

func TestSeal_eachRecipientDecrypts(t *testing.T) {
	t.Parallel()
	for name, pairs := range map[string][]keyPair{
		"classic":      {newED25519(t), newRSA(t), newAge(t)},
		"post-quantum": {newPostQuantum(t), newPostQuantum(t)},
	} {
		var public []string
		for _, pair := range pairs {
			public = append(public, pair.public)
		}
		sealed, err := mustParse(t, public...).Seal(code)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasPrefix(sealed, armor.Header+"\n") || !strings.HasSuffix(sealed, armor.Footer+"\n") {
			t.Errorf("%s: not an armored age file:\n%s", name, sealed)
		}
		var known redact.Secrets
		known.Add(code.Reveal())
		if known.Cut(sealed) != sealed {
			t.Errorf("%s: the encrypted code contains the code", name)
		}
		for i, pair := range pairs {
			if got, err := decrypt(t, sealed, pair.identity(t)); err != nil || got != code.Reveal() {
				t.Errorf("%s: recipient %d decrypts to something else: %v", name, i, err)
			}
		}
		if _, err := decrypt(t, sealed, newED25519(t).identity(t)); err == nil {
			t.Errorf("%s: another key decrypts", name)
		}
	}
}

// TestSeal_ageProgramDecrypts checks that the age program decrypts sealed codes with ordinary key files.
func TestSeal_ageProgramDecrypts(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("age")
	if err != nil {
		t.Skip("no age on PATH")
	}
	for name, pair := range map[string]keyPair{"ed25519": newED25519(t), "rsa": newRSA(t), "age": newAge(t), "post-quantum": newPostQuantum(t)} {
		if name == "post-quantum" && !ageIsPostQuantum(t, program, pair) {
			continue
		}
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(pair.private+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		sealed, err := mustParse(t, pair.public).Seal(code)
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.CommandContext(t.Context(), program, "--decrypt", "--identity", file)
		cmd.Stdin = strings.NewReader(sealed)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if got, err := cmd.Output(); err != nil || string(got) != code.Reveal() {
			t.Errorf("%s: %v\n%s", name, err, stderr.String())
		}
	}
}

// ageIsPostQuantum reports whether the age program supports post-quantum keys, which it does from version 1.3.
func ageIsPostQuantum(t *testing.T, program string, pair keyPair) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "--encrypt", "--recipient", pair.public)
	cmd.Stdin = strings.NewReader("test")
	return cmd.Run() == nil
}

func TestSeal_withoutRecipientsIsAnError(t *testing.T) {
	t.Parallel()
	if sealed, err := (Recipients{}).Seal(code); err == nil || sealed != "" || strings.Contains(err.Error(), code.Reveal()) {
		t.Errorf("sealed without recipients: %q, %v", sealed, err)
	}
}

func TestRecipients_Equal(t *testing.T) {
	t.Parallel()
	kim, lin := newED25519(t), newAge(t)
	bare := strings.TrimSuffix(kim.public, " kim@laptop")
	want := mustParse(t, kim.public, lin.public)
	for name, texts := range map[string][]string{
		"order":       {lin.public, kim.public},
		"comment":     {bare + " another comment", lin.public + " lin"},
		"no comment":  {bare, lin.public},
		"duplicates":  {kim.public, bare, lin.public, lin.public},
		"whitespace":  {"  " + strings.ReplaceAll(kim.public, " ", "\t ") + "\r\n", lin.public + "\n"},
		"options":     {`restrict,from="10.0.0.0/8,*.acme.example",command="echo \"hi there\"" ` + kim.public, lin.public},
		"bare option": {"cert-authority " + kim.public, lin.public},
	} {
		if !mustParse(t, texts...).Equal(want) {
			t.Errorf("%s: counts as a change", name)
		}
	}
	for name, texts := range map[string][]string{
		"fewer":   {kim.public},
		"another": {kim.public, newAge(t).public},
		"more":    {kim.public, lin.public, newED25519(t).public},
	} {
		if mustParse(t, texts...).Equal(want) {
			t.Errorf("%s: does not count as a change", name)
		}
	}
}

func TestParseRecipients_refusesPostQuantumWithClassic(t *testing.T) {
	t.Parallel()
	for _, classic := range []keyPair{newAge(t), newED25519(t), newRSA(t)} {
		pair := newPostQuantum(t)
		_, err := ParseRecipients([]string{pair.public, classic.public})
		if !errors.Is(err, errMixed) {
			t.Errorf("mixed with %.12s: %v", classic.public, err)
		}
		// Mixtures are rejected only because age rejects them.
		mixed := append(mustParse(t, pair.public), mustParse(t, classic.public)...)
		if _, err := mixed.Seal(code); err == nil {
			t.Error("age encrypts to a mixture, so errMixed is no longer needed")
		}
	}
}
