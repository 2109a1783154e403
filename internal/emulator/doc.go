// Package emulator is a local Chainguard platform for tests and demonstrations: the IAM v2 and v2beta1 services for
// invites, groups and roles, role bindings and identities to read, the security token service, the service that accepts
// invites, and the pages for signing in with a browser, as gRPC and as REST on one loopback port, all in memory.
//
// It behaves like the platform as far as that is documented, in the public API specification, in the SDK's API
// definitions, and in the official provider. Behavior chooses where documents leave room. Beyond that it does on demand
// what the platform does only on a bad day: faults are scripted per method (Inject), every call is kept (Requests), time
// is a clock.Clock, and what is stored can be looked at and changed behind the callers' backs.
//
// It guards nothing. Its signing key is public, it serves loopback only, and its invite codes say that they are its own.
//
// A call goes through the files in this order: server.go (one port for gRPC and REST), exchange.go (what faults do to
// connections and answers), log.go, strike.go (the faults of faults.go), then internal/services (the authorizer, then the
// service) over internal/store.
package emulator
