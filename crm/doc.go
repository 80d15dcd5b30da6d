// Package crm keeps people, the numbers they ring from, and the history of
// their contacts, in Redis. Writes are durable (under Redis's fsync policy)
// before they are acknowledged. Multi-key steps are embedded Lua files whose
// keys share a hash slot, so that the store runs on Redis Cluster.
package crm
