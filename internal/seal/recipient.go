package seal

import (
	"strings"

	"filippo.io/age"
	"filippo.io/age/agessh"
	"golang.org/x/crypto/ssh"
)

// Recipient is one public key.
type Recipient struct {
	age age.Recipient
	key string // the canonical form, without comment and options
}

// postQuantumPrefix is the prefix of age's hybrid post-quantum public keys.
const postQuantumPrefix = "age1pq1"

func (r Recipient) isPostQuantum() bool { return strings.HasPrefix(r.key, postQuantumPrefix) }
func (r Recipient) isClassic() bool     { return !r.isPostQuantum() }

// String returns the canonical form of the key.
func (r Recipient) String() string { return r.key }

// ParseRecipient parses a public key: an age key, or a line of an OpenSSH .pub or authorized_keys file. A comment may
// follow it, and options may precede an SSH key. The error is a [*KeyError].
func ParseRecipient(text string) (Recipient, error) {
	text = strings.TrimSpace(text)
	if problem := refuseText(text); problem != nil {
		return Recipient{}, problem
	}
	recipient, problem := parse(text)
	if problem != nil {
		return Recipient{}, problem
	}
	// Encrypt to the key once: some keys parse but cannot be encrypted to, such as points of low order. This must not
	// surface only after an invite has been created.
	if _, err := recipient.age.Wrap(make([]byte, 16)); err != nil {
		return Recipient{}, refuseWeak(text)
	}
	return recipient, nil
}

func parse(text string) (Recipient, *KeyError) {
	if first := strings.Fields(text)[0]; strings.HasPrefix(strings.ToLower(first), "age1") {
		return parseAge(first)
	}
	key, comment, _, _, err := ssh.ParseAuthorizedKey([]byte(text))
	if err != nil {
		return Recipient{}, refuseUnparsed(text)
	}
	if problem := refuseSSH(key, comment); problem != nil {
		return Recipient{}, problem
	}
	canonical := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	recipient, err := agessh.ParseRecipient(canonical)
	if err != nil {
		return Recipient{}, refuseWeak(text)
	}
	return Recipient{age: recipient, key: canonical}, nil
}

func parseAge(text string) (Recipient, *KeyError) {
	if strings.HasPrefix(text, postQuantumPrefix) {
		if key, err := age.ParseHybridRecipient(text); err == nil {
			return Recipient{age: key, key: key.String()}, nil
		}
		return Recipient{}, refuseAge(text)
	}
	key, err := age.ParseX25519Recipient(text)
	if err != nil {
		return Recipient{}, refuseAge(text)
	}
	return Recipient{age: key, key: key.String()}, nil
}
