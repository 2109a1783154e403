// Package seal encrypts an invite code to public keys, as an ASCII-armored age file.
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

// Recipients are the public keys that a code is encrypted to, in canonical form, sorted and without duplicates. The
// zero value has none and cannot be sealed to.
type Recipients []Recipient

// errMixed reports a mixture of post-quantum and classic keys. age rejects it, because the file would only be as strong
// as the weaker key.
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

// Equal reports whether both have the same keys, regardless of order, comments, options and duplicates.
func (r Recipients) Equal(other Recipients) bool {
	return slices.EqualFunc(r, other, func(a, b Recipient) bool { return a.key == b.key })
}

// Seal encrypts a code so that any one of the recipients can decrypt it. Its errors never contain the code.
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
