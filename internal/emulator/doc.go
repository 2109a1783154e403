// Package emulator is a local Chainguard platform for tests and demonstrations: the IAM v2 and v2beta1 services for
// invites, groups and roles, role bindings and identities to read, the security token service, the service that accepts
// invites, and the pages for signing in with a browser, as gRPC and as REST on one loopback port, all in memory.
//
// It behaves like the platform as far as that is documented: in the public API specification, in the SDK's API
// definitions, and in the official provider. Behavior decides what is not documented. For tests, faults are scripted
// per method (Inject), calls are logged (Requests), time is a clock.Clock, and stored data can be inspected and changed
// directly.
//
// It protects nothing: its signing key is public, it serves loopback only, and its invite codes work nowhere else.
//
// A call goes through the files in this order: server.go (one port for gRPC and REST), exchange.go (what faults do to
// connections and answers), log.go, strike.go (the faults of faults.go), then internal/services (the authorizer, then
// the service) over internal/store.
package emulator
