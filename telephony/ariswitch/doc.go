// Package ariswitch is Asterisk as a telephony.Switch, over ARI.
//
// It uses the types and the event decoder of CyCoreSystems/ari, and an event
// socket and REST caller of its own: that library's socket dies on an event it
// does not know, its subscriptions drop events when a reader is slow, and its
// REST calls know neither deadlines nor contexts. Asterisk 22 or later.
package ariswitch
