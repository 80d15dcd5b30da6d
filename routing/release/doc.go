// Package release keeps the plans that were ever published or are about to be:
// an archive on Redis that the command line, the HTTP API and the running
// process share, and a publisher that puts what is due in force.
//
// What the archive guarantees:
//
//   - A release's number and text never change and are never used again. The
//     number is the plan's version in the engine and the journal.
//   - Every change of a release goes through one compare-and-set on the whole
//     archive, so that two people who decide at the same time never both win.
//   - Every change leaves an entry in the audit trail, in the same step. The
//     trail is append-only, each entry holds a hash over itself and the entry
//     before, and a hash of the release as it was left; [Archive.Verify] finds
//     what was altered, lost or put in.
//   - At most one release is in force.
//   - A text with an error is never put in force; what cannot be goes back to
//     being a draft and says why.
//
// The journal, not the archive, is the truth about which plan is in force: the
// publisher submits [routing.PlanPublished] first and marks the release after,
// and at its start brings the archive in line with the journal.
package release
