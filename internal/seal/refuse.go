package seal

import (
	"crypto/rsa"
	"fmt"
	"regexp"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/chainguard-invites/terraform-provider-chainguard/internal/redact"
)

// KeyError reports why a text cannot be used as a recipient, and what to use instead.
type KeyError struct {
	Detail string
	// Secret is set if the text is a private key, or may contain one. The detail does not quote it. The caller must not
	// point a diagnostic at it either, because Terraform prints those lines of the configuration.
	Secret bool
}

// Error implements [error].
func (e *KeyError) Error() string { return e.Detail }

const (
	minRSABits = 2048

	usable = "an age public key (`age1...`), or an `ssh-ed25519` or `ssh-rsa` public key as in a `.pub` file"
	// replacement names the keys to use instead of one that age does not support.
	replacement = "Use an `ssh-ed25519` key (`ssh-keygen -t ed25519` creates one), an `ssh-rsa` key of at least 2048 bits, or an age " +
		"key (`age-keygen` creates one)."
)

// privateKey matches the markers of private keys: PEM, OpenSSH with and without its header, age and PuTTY.
var privateKey = regexp.MustCompile(`(?i)PRIVATE[ -]KEY|AGE-SECRET-KEY|AGE-PLUGIN-|PuTTY-User-Key-File|Private-Lines|b3BlbnNzaC1rZXktdjE`)

// refuseText returns the problem with a text that is not a single-line public key, or nil.
func refuseText(text string) *KeyError {
	switch {
	case privateKey.MatchString(text):
		return &KeyError{Secret: true, Detail: "One of the recipients is a private key. Write " +
			"the public key instead: the content of the `.pub` file next to an SSH key (`ssh-keygen -y -f FILE` prints it), or what " +
			"`age-keygen -y FILE` prints. Replace the key pair if the private key was saved where others can read it, such as in a " +
			"repository or a variable of a pipeline."}
	case text == "":
		return refuse(text, "An empty string is not a public key. Remove it; `compact(...)` removes empty strings from a list.")
	case strings.Contains(text, "BEGIN PGP"):
		return refuse(text, "A PGP key cannot be used: codes are encrypted with age. "+replacement)
	case strings.Contains(text, "-- BEGIN ") || strings.Contains(text, "--BEGIN "):
		return refuse(text, "A PEM or SSH2 key file cannot be used. Write the key in the format of OpenSSH, in one line: "+
			"`ssh-keygen -i -f FILE` converts an SSH2 public key (with `-m PKCS8` or `-m PEM`, one that begins with `BEGIN PUBLIC KEY` or "+
			"`BEGIN RSA PUBLIC KEY`).")
	case strings.ContainsAny(text, "\r\n"):
		return refuse(text, "A recipient has several lines. Write one public key in each element; "+
			"`split(\"\\n\", trimspace(...))` makes a list from the lines of a file or of a forge's `.keys` page.")
	}
	return nil
}

// refuseUnparsed returns the problem with a line that is neither an age key nor an SSH key.
func refuseUnparsed(text string) *KeyError {
	fields := strings.Fields(text)
	switch first := fields[0]; {
	case first[0] == '#':
		return refuse(text, "A recipient is a comment line, without a key. Remove it.")
	case fingerprint.MatchString(text):
		return refuse(text, fmt.Sprintf("%s is the fingerprint of a key, and the key does not follow from it. Write the public "+
			"key itself: the content of the `.pub` file.", quote(text)))
	case strings.Contains(first, "://") || forge.MatchString(first):
		return refuse(text, fmt.Sprintf("%s is not read by the provider. Write the public keys themselves; data source "+
			"`http` reads a forge's page, such as https://github.com/kim.keys, and `split(\"\\n\", trimspace(...))` makes a list from its "+
			"response body.", quote(text)))
	case len(fields) == 1 && strings.HasSuffix(first, ".pub"):
		return refuse(text, fmt.Sprintf("%[1]s is the name of a file. Write its content, as with `file(%[1]s)`.", quote(text)))
	}
	for _, field := range fields {
		switch {
		case !sshType.MatchString(field):
		case field != ssh.KeyAlgoED25519 && field != ssh.KeyAlgoRSA:
			return refuse(text, fmt.Sprintf("A recipient of type `%s`%s cannot be used. %s", field, named(fields[len(fields)-1]), replacement))
		default:
			return refuse(text, fmt.Sprintf("A recipient of type `%s`%s is incomplete or was altered. Copy the whole line from "+
				"the `.pub` file: the type, the key in base64, and optionally a comment.", field, named(fields[len(fields)-1])))
		}
	}
	return refuse(text, fmt.Sprintf("%s is not a public key. Write %s.", quote(text), usable))
}

var (
	fingerprint = regexp.MustCompile(`SHA256:[A-Za-z0-9+/]{43}|MD5(:[0-9a-fA-F]{2}){16}|^([0-9a-fA-F]{2}:){15}[0-9a-fA-F]{2}`)
	forge       = regexp.MustCompile(`^(github|gitlab|keybase|codeberg|gh|gl):`)
	sshType     = regexp.MustCompile(`^(sk-)?(ssh-(ed25519|rsa|dss)|ecdsa-sha2-nistp\d{3})(-cert-v01)?(@openssh\.com)?$`)
)

// refuseSSH returns the problem with an SSH key that age cannot encrypt to, or nil.
func refuseSSH(key ssh.PublicKey, comment string) *KeyError {
	which := fmt.Sprintf("The recipient %s%s of type `%s`", ssh.FingerprintSHA256(key), named(comment), key.Type())
	_, isCertificate := key.(*ssh.Certificate)
	switch {
	case isCertificate:
		return &KeyError{Detail: which + " is a certificate. Write the public key that it certifies: the content of " +
			"the `.pub` file whose name does not end in `-cert.pub`."}
	case strings.HasPrefix(key.Type(), "sk-"):
		return &KeyError{Detail: which + " is on a FIDO security key, which can sign and cannot decrypt. " + replacement}
	case key.Type() == ssh.KeyAlgoRSA:
		if bits := rsaBits(key); bits < minRSABits {
			return &KeyError{Detail: fmt.Sprintf("%s has %d bits, and at least %d are needed. %s", which, bits, minRSABits, replacement)}
		}
	case key.Type() != ssh.KeyAlgoED25519:
		return &KeyError{Detail: which + " cannot be used: age does not encrypt to keys of this type. " + replacement}
	}
	return nil
}

func rsaBits(key ssh.PublicKey) int {
	if key, ok := key.(ssh.CryptoPublicKey); ok {
		if key, ok := key.CryptoPublicKey().(*rsa.PublicKey); ok {
			return key.N.BitLen()
		}
	}
	return 0
}

// refuseAge returns the problem with a text that starts like an age public key.
func refuseAge(text string) *KeyError {
	if plugin := agePlugin.FindStringSubmatch(text); plugin != nil && plugin[1] != "pq" {
		return &KeyError{Detail: fmt.Sprintf("%s is a key of the age plugin `%s`, and the provider runs no plugins. %s",
			quote(text), plugin[1], replacement)}
	}
	return &KeyError{Detail: fmt.Sprintf("%s is not an age public key: it is incomplete or was altered. Copy the whole "+
		"key, in lower case; `age-keygen -y FILE` prints it.", quote(text))}
}

// agePlugin matches the recipient of a plugin. The plugin's name ends at the last 1, which does not occur in base32.
var agePlugin = regexp.MustCompile(`^age1([a-z0-9+._-]{1,40})1[^1]+$`)

// refuseWeak returns the problem with a key that parses but that age does not encrypt to.
func refuseWeak(text string) *KeyError {
	return refuse(text, "A recipient has the format of a public key, but nothing can be encrypted to it. Copy it again from where "+
		"it was created.")
}

func refuse(text, detail string) *KeyError {
	return &KeyError{Detail: detail, Secret: mayBeSecret(text)}
}

// mayBeSecret reports whether a text contains a long word in base64, base32 or hex that is not a public key. This also
// recognizes private keys without a header.
func mayBeSecret(text string) bool {
	for _, word := range strings.Fields(text) {
		// The base64 of an SSH public key starts with the length of its type's name.
		if keyMaterial.MatchString(word) && !strings.HasPrefix(word, "AAAA") && !strings.HasPrefix(strings.ToLower(word), "age1") {
			return true
		}
	}
	return false
}

var keyMaterial = regexp.MustCompile(`^[A-Za-z0-9+/=_-]{24,}$`)

// named returns the comment of a key in a form that identifies the key in an error.
func named(comment string) string {
	const longest = 100
	if comment == "" || strings.HasPrefix(comment, "AAAA") || len(comment) > longest || mayBeSecret(comment) || sshType.MatchString(comment) {
		return ""
	}
	return fmt.Sprintf(" (%s)", redact.Text(comment))
}

// quote quotes a text unless it may contain key material.
func quote(text string) string {
	if mayBeSecret(text) {
		return fmt.Sprintf("A recipient of %d characters, not shown because it may be secret,", len(text))
	}
	return redact.Quote(text)
}
