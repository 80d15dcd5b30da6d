// Package blob keeps raw messages and attachments: files named by the SHA-256 of
// what they hold, durable before Put returns.
package blob
