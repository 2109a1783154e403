package auth

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
)

// lockFile guards a folder of the cache against our own kind: the refresh token in it can be spent only once.
const lockFile = ".terraform-provider-chainguard.lock"

// lockPoll is how often to look whether a lock has become free.
const lockPoll = 20 * time.Millisecond

var errLocked = errors.New("another process has held the lock for too long")

// lockPatience is how much longer than a call of the STS to wait for another process that has the lock.
const lockPatience = 5 * time.Second

// refreshToken is the source that spends chainctl's refresh token, and puts the one it gets in its place.
type refreshToken struct {
	cache   cache
	sts     sts
	allowed bool
}

func (r refreshToken) name() string { return "chainctl's refresh token" }

func (r refreshToken) token(ctx context.Context) (issued, error) {
	if !r.allowed {
		return issued{}, errors.New("switched off by default.use-refresh-token in chainctl's config")
	}
	folders, err := r.cache.folders()
	if err != nil {
		return issued{}, err
	}
	var reasons []string
	for i, folder := range folders {
		// The last folder is that of whoever signed in last.
		token, err := r.refresh(ctx, folder, i == len(folders)-1)
		if err == nil {
			return token, nil
		}
		reasons = append(reasons, err.Error())
	}
	return issued{}, errors.New(strings.Join(reasons, "; "))
}

// refresh spends the refresh token in a folder of the cache. In a shared folder it may be anybody's.
func (r refreshToken) refresh(ctx context.Context, folder string, shared bool) (issued, error) {
	// Without one there is nothing to lock: looking must not leave anything behind.
	if _, err := r.spendable(folder, shared); err != nil {
		return issued{}, err
	}

	lockCtx, cancel := context.WithTimeout(ctx, r.sts.timeout+lockPatience)
	defer cancel()
	unlock, err := acquireLock(lockCtx, filepath.Join(folder, lockFile))
	if err != nil {
		return issued{}, fmt.Errorf("%s cannot be locked, so the refresh token is not spent: %s", folder, fileError(err))
	}
	defer unlock()

	// Another process may have been faster.
	if token, err := r.cache.access(folder); err == nil && !token.nearlyOver(r.cache.now()) {
		return token, nil
	}
	refreshToken, err := r.spendable(folder, shared)
	if err != nil {
		return issued{}, err
	}
	return r.spend(ctx, folder, refreshToken)
}

// spendable returns the refresh token in a folder if there is a point in spending it.
func (r refreshToken) spendable(folder string, shared bool) (string, error) {
	token, err := r.cache.read(folder, refreshTokenFile)
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, refreshTokenFile)
	if expiry := refreshTokenExpiry(token); !expiry.IsZero() && !r.cache.now().Before(expiry) {
		return "", fmt.Errorf("%s expired at %s", path, expiry.UTC().Format(time.RFC3339))
	}
	// A refresh token does not say whom it is for, but the access token beside it does.
	if shared && r.cache.identity != "" {
		access, _ := r.cache.read(folder, accessTokenFile)
		if claims, err := readClaims(access); err != nil || claims.subject != r.cache.identity {
			return "", fmt.Errorf("%s is not known to be that of the identity %s", path, r.cache.identity)
		}
	}
	return token, nil
}

// spend trades the refresh token for an access token and the next refresh token, and keeps both. From here on it does
// not stop when the caller does: a token that is spent and not replaced signs the user out.
func (r refreshToken) spend(ctx context.Context, folder, refreshToken string) (issued, error) {
	newRefresh, err := prepare(folder, refreshTokenFile)
	if err != nil {
		return issued{}, fmt.Errorf("%s cannot be written to, so the refresh token is not spent: %s", folder, fileError(err))
	}
	defer newRefresh.abandon()
	newAccess, err := prepare(folder, accessTokenFile)
	if err != nil {
		return issued{}, fmt.Errorf("%s cannot be written to, so the refresh token is not spent: %s", folder, fileError(err))
	}
	defer newAccess.abandon()

	token, rotated, err := r.sts.refresh(context.WithoutCancel(ctx), refreshToken)
	if err != nil {
		// chainctl, which does not know our lock, may have spent it in the meantime, and cached what it got.
		if token, err := r.cache.access(folder); err == nil && !token.nearlyOver(r.cache.now()) {
			return token, nil
		}
		return issued{}, err
	}
	// Should they not be kept after all, for want of space perhaps, the access token is still good for this run.
	if rotated != "" {
		_ = newRefresh.commit(rotated)
	}
	_ = newAccess.commit(token.access)
	return token, nil
}
