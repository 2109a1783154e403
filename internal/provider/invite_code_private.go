package provider

import (
	"context"
	"encoding/json"
	"strconv"
	"time"

	"github.com/hashicorp/terraform-plugin-framework/diag"
)

// adoption says how an invite came into the state, which its private state holds. It is not known with which ttl an
// adopted invite was created, nor on which triggers it depends, and that must not replace it.
type adoption string

const (
	notAdopted adoption = ""         // It was created by this resource.
	imported   adoption = "imported" // It was imported, and has not been read yet.
	moved      adoption = "moved"    // It was moved from the official provider, and has not been read yet.
	adopted    adoption = "adopted"  // It was imported or moved, and has been read.
)

// isUnread reports whether the state holds only what the import or the move has set.
func (a adoption) isUnread() bool { return a == imported || a == moved }

const adoptionKey = "adopted"

// privateState is what requests and responses have as Private.
type privateState interface {
	GetKey(ctx context.Context, key string) ([]byte, diag.Diagnostics)
	SetKey(ctx context.Context, key string, value []byte) diag.Diagnostics
}

func adoptionOf(ctx context.Context, private privateState, diags *diag.Diagnostics) adoption {
	value, d := private.GetKey(ctx, adoptionKey)
	diags.Append(d...)
	if string(value) == "true" {
		return adopted // Written before adoption had several values.
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

// seenKey is where the private state has the time, in Unix seconds, at which a read last found the invite.
const seenKey = "seen"

func setSeen(ctx context.Context, private privateState, at time.Time) diag.Diagnostics {
	return private.SetKey(ctx, seenKey, strconv.AppendInt(nil, at.Unix(), 10))
}

// seenAt returns what setSeen has recorded, or the beginning of time.
func seenAt(ctx context.Context, private privateState, diags *diag.Diagnostics) time.Time {
	seconds := int64(0)
	getPrivate(ctx, private, seenKey, &seconds, diags)
	return time.Unix(seconds, 0)
}

func getPrivate(ctx context.Context, private privateState, key string, into any, diags *diag.Diagnostics) {
	value, d := private.GetKey(ctx, key)
	diags.Append(d...)
	if value != nil {
		_ = json.Unmarshal(value, into) // The zero value stands for what cannot be read.
	}
}
