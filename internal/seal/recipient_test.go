package seal

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

// fidoKey returns a public key in the format of FIDO keys, which cannot be created without a device.
func fidoKey() string {
	blob := ssh.Marshal(struct {
		Name        string
		Key         []byte
		Application string
	}{"sk-ssh-ed25519@openssh.com", make([]byte, ed25519.PublicKeySize), "ssh:"})
	return "sk-ssh-ed25519@openssh.com " + base64.StdEncoding.EncodeToString(blob) + " kim@yubikey"
}

// lowOrderKey returns an Ed25519 key that parses but cannot be encrypted to.
func lowOrderKey() string {
	point := make([]byte, ed25519.PublicKeySize)
	point[0] = 1 // the identity point
	blob := ssh.Marshal(struct {
		Name string
		Key  []byte
	}{"ssh-ed25519", point})
	return "ssh-ed25519 " + base64.StdEncoding.EncodeToString(blob) + " test"
}

func certificate(t *testing.T) string {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert := &ssh.Certificate{Key: signer.PublicKey(), CertType: ssh.UserCert, ValidPrincipals: []string{"kim"}, ValidBefore: ssh.CertTimeInfinity}
	if err := cert.SignCert(rand.Reader, signer); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(cert))) + " kim@laptop"
}

func TestParseRecipient_invalid_saysWhatToWrite(t *testing.T) {
	t.Parallel()
	kim, pq := newED25519(t), newPostQuantum(t)
	for name, c := range map[string]struct {
		text    string
		details []string // what the detail must contain
	}{
		"ECDSA":              {newECDSA(t).public, []string{"(kim@work)", "SHA256:", "ecdsa-sha2-nistp256", "ssh-keygen -t ed25519"}},
		"ECDSA, cut off":     {newECDSA(t).public[:60], []string{"ecdsa-sha2-nistp256", "ssh-keygen -t ed25519"}},
		"FIDO":               {fidoKey(), []string{"(kim@yubikey)", "FIDO security key", "ssh-keygen -t ed25519"}},
		"short RSA":          {"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQC/nAmOjTmezNUDKYvEeIRf2YnwM9/uUG1d0BYsc8/tRtx+RGi7N2lUbp728MXGwdnL9od4cItzky/zVdLZE2cycOa18xBK9cOWmcKS0A8FYBxEQWJ/q9YVUgZbFKfYGaGQxsER+A0w/fX8ALuk78ktP31K69LcQgxIsl7rNzxsoQ==", []string{"1024 bits", "2048"}},
		"certificate":        {certificate(t), []string{"certificate", "-cert.pub"}},
		"plugin":             {"age1yubikey1q2w7u3vpya839jxxuq8g0sedh3d740d4xvn639sqhr95ejj8vu3hyfumptt", []string{"age plugin `yubikey`", "ssh-keygen"}},
		"tagged":             {"age1tag1qt8lw0ual6avlwmwatk888yqnmdamm7xfd0wak53ut6elz5c4swx2yqdj4e", []string{"age plugin `tag`"}},
		"PGP":                {"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----", []string{"PGP", "ssh-keygen"}},
		"PEM":                {"-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----\n", []string{"ssh-keygen -i"}},
		"SSH2":               {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAAC3\n---- END SSH2 PUBLIC KEY ----", []string{"ssh-keygen -i"}},
		"fingerprint":        {"SHA256:" + strings.Repeat("a", 43), []string{"fingerprint", ".pub"}},
		"ssh-keygen -l":      {"256 SHA256:" + strings.Repeat("a", 43) + " kim@laptop (ED25519)", []string{"fingerprint", ".pub"}},
		"MD5 fingerprint":    {"MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48", []string{"fingerprint", ".pub"}},
		"forge":              {"github:kim", []string{`"github:kim"`, "`http`"}},
		"URL":                {"https://github.com/kim.keys", []string{"https://github.com/kim.keys", "`http`"}},
		"file name":          {"~/.ssh/id_ed25519.pub", []string{`file("~/.ssh/id_ed25519.pub")`}},
		"several keys":       {kim.public + "\n" + kim.public, []string{"one public key in each element", "split("}},
		"empty":              {" \n", []string{"empty", "compact("}},
		"comment only":       {"# kim's keys", []string{"comment"}},
		"cut off":            {kim.public[:40], []string{"ssh-ed25519", "incomplete"}},
		"type only":          {"ssh-ed25519", []string{"ssh-ed25519", "incomplete"}},
		"altered":            {strings.Replace(kim.public, "AAAAC3", "AAAAD3", 1), []string{"(kim@laptop)", "altered"}},
		"of low order":       {lowOrderKey(), []string{"nothing can be encrypted to it"}},
		"age, cut off":       {newAge(t).public[:50], []string{"age public key", "incomplete"}},
		"age, capitals":      {strings.ToUpper(newAge(t).public), []string{"lower case"}},
		"post-quantum, cut":  {pq.public[:500], []string{"age public key", "incomplete"}},
		"nonsense":           {"kim", []string{`"kim" is not a public key`, "`age1...`", "`ssh-ed25519`"}},
		"address":            {"kim@acme.example", []string{`"kim@acme.example" is not a public key`}},
		"control characters": {"\x1b[31mkim", []string{`"\x1b[31mkim"`}},
	} {
		_, err := ParseRecipient(c.text)
		var problem *KeyError
		if !errors.As(err, &problem) {
			t.Errorf("%s: error %v", name, err)
			continue
		}
		for _, want := range c.details {
			if !strings.Contains(problem.Detail, want) {
				t.Errorf("%s: the detail does not contain %q:\n%s", name, want, problem.Detail)
			}
		}
		if len(problem.Detail) > 600 {
			t.Errorf("%s: the detail has %d characters", name, len(problem.Detail))
		}
		if name == "cut off" || name == "ECDSA" || name == "nonsense" || name == "plugin" {
			if problem.Secret {
				t.Errorf("%s: treated as a secret, so the diagnostic points at no attribute", name)
			}
		}
	}
}

func TestParseRecipient_privateKey_isNotShown(t *testing.T) {
	t.Parallel()
	texts := map[string]string{
		"PuTTY":       "PuTTY-User-Key-File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\nAAAAIKjh8sYlkjhsad78asdkjhasd87asd",
		"plugin":      "AGE-PLUGIN-YUBIKEY-1QQPQGQYQSQSQGQYQSQSQGQYQS",
		"PGP":         "-----BEGIN PGP PRIVATE KEY BLOCK-----\nlFgEZabcdefghijklmnopqrstuv\n-----END PGP PRIVATE KEY BLOCK-----",
		"lower case":  strings.ToLower(newAge(t).private),
		"with a type": "ssh-ed25519 " + base64.StdEncoding.EncodeToString([]byte("openssh-key-v1\x00"+strings.Repeat("\x07", 60))),
		"hex":         strings.Repeat("0f1e2d3c", 8),
	}
	for name, pair := range map[string]keyPair{"Ed25519": newED25519(t), "RSA": newRSA(t), "ECDSA": newECDSA(t), "age": newAge(t), "post-quantum": newPostQuantum(t)} {
		texts[name] = pair.private
		texts[name+" after a comment"] = "# created: today\n# public key: age1\n" + pair.private
		texts[name+" in one line"] = strings.ReplaceAll(pair.private, "\n", " ")
		if block, _ := pem.Decode([]byte(pair.private)); block != nil {
			body := base64.StdEncoding.EncodeToString(block.Bytes)
			texts[name+" without header"] = body
			texts[name+" second half"] = body[len(body)/2:]
			texts[name+" second half with a type"] = "ssh-rsa " + body[len(body)/2:] + " kim@laptop"
		}
	}
	for name, text := range texts {
		_, err := ParseRecipient(text)
		var problem *KeyError
		if !errors.As(err, &problem) || !problem.Secret {
			t.Errorf("%s: not treated as a secret: %v", name, err)
			continue
		}
		for _, word := range strings.Fields(text) {
			for start := 0; start+10 < len(word); start += 5 {
				if part := word[start : start+10]; strings.Contains(problem.Error(), part) && keyMaterial.MatchString(word) {
					t.Errorf("%s: the error contains a part of it: %s", name, problem.Detail)
				}
			}
		}
	}
}

func TestParseRecipient_valid_sshKeygen(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("ssh-keygen")
	if err != nil {
		t.Skip("no ssh-keygen on PATH")
	}
	for _, kind := range []string{"ed25519", "rsa"} {
		file := filepath.Join(t.TempDir(), "id")
		if out, err := exec.CommandContext(t.Context(), program, "-q", "-t", kind, "-N", "", "-C", "kim's laptop", "-f", file).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		public, err := os.ReadFile(file + ".pub")
		if err != nil {
			t.Fatal(err)
		}
		private, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sealed, err := mustParse(t, string(public)).Seal(code)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decrypt(t, sealed, keyPair{private: string(private)}.identity(t)); err != nil || got != code.Reveal() {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

func FuzzParseRecipient(f *testing.F) {
	kim, pq := newED25519(f), newPostQuantum(f)
	for _, seed := range []string{
		kim.public, newECDSA(f).public, newAge(f).public, pq.public, fidoKey(), lowOrderKey(), kim.private, pq.private, "", "\n", "# x",
		`from="a b" ` + kim.public, `from="a b`, "SHA256:x", "github:kim", "ssh-ed25519", "ssh-ed25519 AAAA", "age1", "age1pq1", "age1x1y", "\x00", "\u0085",
		"-----BEGIN PGP PUBLIC KEY BLOCK-----", "ssh-rsa " + strings.Repeat("A", 300),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		recipient, err := ParseRecipient(text)
		if err != nil {
			var problem *KeyError
			if !errors.As(err, &problem) || problem.Detail == "" || len(problem.Detail) > 1500 {
				t.Fatalf("the error is %#v", err)
			}
			return
		}
		// Accepted keys can be sealed to, and their canonical form is the same key.
		again, err := ParseRecipient(recipient.String())
		if err != nil || again.key != recipient.key {
			t.Fatalf("%q is not the key that it was parsed from: %v", recipient, err)
		}
		if _, err := (Recipients{recipient}).Seal(code); err != nil {
			t.Fatal(err)
		}
	})
}
