// Package emulator is a local Chainguard platform for tests and demonstrations: the IAM v2 and v2beta1 services for
// invites, groups and roles, the security token service, the service that accepts invites, and the browser's sign-in,
// as gRPC and as REST on one loopback port, all in memory.
//
// It is meant to be indistinguishable from the platform to whoever calls it, and to do on demand what the platform does
// only on a bad day: faults are scripted per method (Inject), every call is kept (Requests), time is a clock.Clock, and
// the stored invites can be looked at and changed behind the callers' backs.
//
// It guards nothing. Its signing key is public (it is in jwt.go), it serves loopback only, and the invite codes it
// mints name it as their issuer.
//
// A call goes through the files in this order: server.go (one port for gRPC and REST), log.go, faults.go, auth.go (who
// is it, may they), then the service (invites.go, groups.go, roles.go, sts.go, register.go) over store.go.
package emulator
