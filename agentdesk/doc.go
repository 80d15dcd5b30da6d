// Package agentdesk is the server side of the handlers' desk: sign-on, the
// websocket that keeps each desk current, the HTTP API, and the signalling proxy
// for browser phones.
package agentdesk
