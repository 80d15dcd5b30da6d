// Package edge holds the listeners and requests of C3i against slow, greedy and
// hostile clients: how long one may send or take nothing, how many connections may
// stand, and what clients are counted by. HTTP, SMTP and LMTP share it.
package edge
