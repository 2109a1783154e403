package provider

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// adoption is how an invite came into the state. It is stored in the private state. The original ttl and triggers of an
// adopted invite are unknown, which must not replace it.
type adoption string

const (
	notAdopted adoption = ""         // created by this resource
	imported   adoption = "imported" // imported and not read yet
	moved      adoption = "moved"    // moved from the official provider and not read yet
	adopted    adoption = "adopted"  // imported or moved, and read
)

// isUnread reports whether the state has only what the import or the move has set.
func (a adoption) isUnread() bool { return a == imported || a == moved }

const adoptionKey = "adopted"

// privateState is the Private field of requests and responses.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func adoptionOf(ctx context.Context, private privateState, diags *diag.Diagnostics) adoption {
	value, d := private.GetKey(ctx, adoptionKey)
	diags.Append(d...)
	if string(value) == "true" {
		return adopted // It was written before adoption had several values.
	}
	var a adoption
	if json.Unmarshal(value, &a) != nil {
		return notAdopted
	}
	return a
}

func setAdoption(ctx context.Context, private privateState, a adoption) diag.Diagnostics {
	return private.SetKey(ctx, adoptionKey, []byte(`"`+a+`"`))
}

// seenKey is the key of the private state with the time, in Unix seconds, at which a read last found the invite.
const seenKey = "seen"

func setSeen(ctx context.Context, private privateState, at time.Time) diag.Diagnostics {
	return private.SetKey(ctx, seenKey, strconv.AppendInt(nil, at.Unix(), 10))
}

// seenAt returns the time that setSeen stored, or the zero time.
func seenAt(ctx context.Context, private privateState, diags *diag.Diagnostics) time.Time {
	seconds := int64(0)
	getPrivate(ctx, private, seenKey, &seconds, diags)
	return time.Unix(seconds, 0)
}

func getPrivate(ctx context.Context, private privateState, key string, into any, diags *diag.Diagnostics) {
	value, d := private.GetKey(ctx, key)
	diags.Append(d...)
	if value != nil {
		_ = json.Unmarshal(value, into) // An unreadable value counts as zero.
	}
}
