// Package audit keeps the trail of who created, changed, viewed, searched,
// disclosed, combined and erased records: append-only, hash-chained, and never
// holding the values themselves (Data Protection Act 2018, section 62).
//
// Each entry's hash covers the entry before it, so that changing, removing or
// moving one breaks every hash after it. Cutting entries off the end breaks none:
// that is proved by an Anchor, the newest number and hash, written where whoever
// can write to Redis cannot (see Anchors).
package audit
