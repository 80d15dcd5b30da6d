// Package mail holds the wordings of what is sent by e-mail, by template and
// language. A site's own folder (mail.templates) replaces them.
package mail

import "embed"

// Files are the wordings built in.
//
//go:embed *.txt
var Files embed.FS
