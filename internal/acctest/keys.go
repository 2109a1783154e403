package acctest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"filippo.io/age/armor"
	"golang.org/x/crypto/ssh"
)

// SSHKey is an SSH key pair, as ssh-keygen writes it.
type SSHKey struct {
	// Public is the content of the .pub file, without the comment and the newline.
	Public string
	// Private is the content of the private key file.
	Private string
}

// NewSSHKey creates an Ed25519 key pair.
func NewSSHKey(t testing.TB) SSHKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		t.Fatal(err)
	}
	return SSHKey{
		Public:  strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey()))),
		Private: string(pem.EncodeToMemory(block)),
	}
}

// Decrypt returns the content of an armored age file that is encrypted to the key.
func (k SSHKey) Decrypt(t testing.TB, encrypted string) string {
	t.Helper()
	identity, err := agessh.ParseIdentity([]byte(k.Private))
	if err != nil {
		t.Fatal(err)
	}
	decrypted, err := age.Decrypt(armor.NewReader(strings.NewReader(encrypted)), identity)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(decrypted)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
