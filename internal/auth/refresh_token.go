package auth

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// refreshToken is the source that uses chainctl's refresh token and stores the next one. All audiences of chainctl
// share the token, so the source is used only if there is no chainctl program.
type refreshToken struct {
	cache   cache
	sts     sts
	program *chainctlProgram // tried before this source
	allowed bool
}

func (r refreshToken) name() string { return "chainctl's refresh token" }

func (r refreshToken) get(ctx context.Context) (token, error) {
	switch {
	case !r.allowed:
		return token{}, errors.New("switched off by default.use-refresh-token in chainctl's config")
	case !r.program.missing:
		return token{}, errors.New("not spent, as all that is signed in with chainctl shares it: only the chainctl program may")
	}
	folders, err := r.cache.folders()
	if err != nil {
		return token{}, err
	}
	var reasons []string
	for i, folder := range folders {
		// The last folder is shared with the latest sign-in.
		issued, err := r.refresh(ctx, folder, i == len(folders)-1)
		if err == nil {
			return issued, nil
		}
		reasons = append(reasons, err.Error())
	}
	return token{}, errors.New(strings.Join(reasons, "; "))
}

// refresh uses the refresh token in a folder of the cache. In a shared folder, it may belong to any user or identity.
func (r refreshToken) refresh(ctx context.Context, folder string, shared bool) (token, error) {
	// Check before locking, because locking creates a file.
	if _, err := r.spendable(ctx, folder, shared); err != nil {
		return token{}, err
	}

	lockCtx, cancel := context.WithTimeout(ctx, r.sts.http.timeout+lockTimeout)
	defer cancel()
	unlock, err := acquireLock(lockCtx, filepath.Join(folder, lockFile))
	if err != nil {
		return token{}, fmt.Errorf("%s cannot be locked, so the refresh token is not spent: %s", folder, fileError(err))
	}
	defer unlock()

	// Another process may have refreshed it while this one waited.
	if issued, err := r.cache.access(ctx, folder); err == nil && !issued.expiresSoon(r.cache.clock.Now()) {
		return issued, nil
	}
	refreshToken, err := r.spendable(ctx, folder, shared)
	if err != nil {
		return token{}, err
	}
	if err := ctx.Err(); err != nil {
		return token{}, err
	}
	// Ignore cancellation from here on: using the token without storing the next one would sign the user out.
	return r.spend(context.WithoutCancel(ctx), folder, refreshToken)
}

// spendable returns the refresh token in a folder if it can be used.
func (r refreshToken) spendable(ctx context.Context, folder string, shared bool) (string, error) {
	refreshToken, err := r.cache.read(ctx, folder, refreshTokenFile)
	if err != nil {
		return "", err
	}
	path, now := filepath.Join(folder, refreshTokenFile), r.cache.clock.Now()
	if expiry := refreshTokenExpiry(refreshToken); !expiry.IsZero() && !now.Before(expiry) {
		return "", fmt.Errorf("%s %s", path, expired(expiry, now))
	}
	// A refresh token does not contain its subject, but the access token next to it does.
	if shared && r.cache.identity != "" {
		access, _ := r.cache.read(ctx, folder, accessTokenFile)
		if claims, err := readClaims(access); err != nil || claims.subject != r.cache.identity {
			return "", fmt.Errorf("%s is not known to be that of the identity %s", path, r.cache.identity)
		}
	}
	return refreshToken, nil
}

// spend exchanges the refresh token for an access token and the next refresh token, and stores both. It keeps no
// temporary file during the exchange, so that a killed process leaves none.
func (r refreshToken) spend(ctx context.Context, folder, refreshToken string) (token, error) {
	if err := writable(folder); err != nil {
		return token{}, fmt.Errorf("%s cannot be written to, so the refresh token is not spent: %s", folder, fileError(err))
	}
	issued, next, err := r.sts.refresh(ctx, refreshToken)
	if next != "" {
		// If it cannot be stored, for example because the disk is full, the access token still works for this run.
		_ = replace(folder, refreshTokenFile, next)
	}
	if err != nil {
		// chainctl does not know our lock: it may have used the token in the meantime and cached the result.
		if cached, cacheErr := r.cache.access(ctx, folder); cacheErr == nil && !cached.expiresSoon(r.cache.clock.Now()) {
			return cached, nil
		}
		return token{}, err
	}
	_ = replace(folder, accessTokenFile, issued.access)
	return issued, nil
}

// writable returns an error if no file can be created in a folder.
func writable(folder string) error {
	temporary := temporaryFile(folder, refreshTokenFile)
	if err := write(temporary, ""); err != nil {
		return err
	}
	return os.Remove(temporary)
}
