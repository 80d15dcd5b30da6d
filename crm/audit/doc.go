// Package audit keeps the trail of who created, changed, viewed, searched,
// disclosed, combined and erased records: append-only, hash-chained, and never
// holding the values themselves (Data Protection Act 2018, section 62).
package audit
