// Package deskclient drives desks from a program: it signs on, keeps a desk's
// state current over reconnects, and sends requests whose answers are futures.
// One process can drive hundreds; each costs two goroutines and one connection.
// Scripts, tests and benchmarks use it; it speaks only what docs/api.md says.
package deskclient
