// Package seal encrypts an invite code to the public keys of those who may read it, as an ASCII-armored age file.
package seal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// Recipients are the public keys that a code is sealed to, in a canonical form: each once, and in order. The zero value
// has none, and nothing can be sealed to it.
type Recipients []Recipient

// errMixed is the problem with post-quantum and classic keys together: age refuses to write a file that is only as
// strong as the weaker of them.
var errMixed = &KeyError{
	Detail: "Post-quantum recipients (`age1pq1...`) cannot be combined with classic ones (`age1...`, `ssh-ed25519`, `ssh-rsa`): the " +
		"encrypted code would be no better protected than by the classic ones. Use recipients of one kind only.",
}

// ParseRecipients parses one public key from each text. The error is a [*KeyError].
func ParseRecipients(texts []string) (Recipients, error) {
	var all Recipients
	for _, text := range texts {
		recipient, err := ParseRecipient(text)
		if err != nil {
			return nil, err
		}
		all = append(all, recipient)
	}
	slices.SortFunc(all, func(a, b Recipient) int { return cmp.Compare(a.key, b.key) })
	all = slices.CompactFunc(all, func(a, b Recipient) bool { return a.key == b.key })
	if slices.ContainsFunc(all, Recipient.isPostQuantum) && slices.ContainsFunc(all, Recipient.isClassic) {
		return nil, errMixed
	}
	return all, nil
}

// Equal reports whether both are the same keys. Order, comments, options and duplicates of what they were parsed from
// do not matter.
func (r Recipients) Equal(other Recipients) bool {
	return slices.EqualFunc(r, other, func(a, b Recipient) bool { return a.key == b.key })
}

// Seal encrypts a code so that any one of the recipients can decrypt it. No error of it contains the code.
func (r Recipients) Seal(code redact.Secret) (string, error) {
	if len(r) == 0 {
		return "", errors.New("there are no recipients to encrypt the code to")
	}
	keys := make([]age.Recipient, 0, len(r))
	for _, recipient := range r {
		keys = append(keys, recipient.age)
	}
	var sealed strings.Builder
	armored := armor.NewWriter(&sealed)
	encrypted, err := age.Encrypt(armored, keys...)
	if err != nil {
		return "", fmt.Errorf("encrypting the code: %w", err)
	}
	if _, err := io.WriteString(encrypted, code.Reveal()); err != nil {
		return "", fmt.Errorf("encrypting the code: %w", err)
	}
	if err := errors.Join(encrypted.Close(), armored.Close()); err != nil {
		return "", fmt.Errorf("encrypting the code: %w", err)
	}
	return sealed.String(), nil
}
