// Package web is the public's way in by browser and by program: the report form
// under /report, following a report under /track, and the partners' API under
// /api/v1/reports. Pages are made on the server and work without JavaScript.
//
// What is sent is durable before it is confirmed: files go to the blob store, the
// rest to the inbox, and only then the reference and the secret are shown. Work
// turns an accepted item into a report, a contact and a message, and may be
// repeated without harm. Until something is sent it lies in Redis, sealed with a
// key that only the reporter's browser has.
//
// No reference, secret or other personal data is in a URL, a log line or a metric.
package web
