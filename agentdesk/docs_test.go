package agentdesk_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"example.org/c3i/agentdesk"
)

func TestDocumentationCoversTheProtocol(t *testing.T) {
	text, err := os.ReadFile("../docs/api.md")
	must(t, err)
	doc := string(text)
	w := newWorld(t)
	for _, r := range w.server.Routes() {
		method, path, _ := strings.Cut(r, " ")
		if !strings.Contains(doc, "`"+method+" "+path+"`") && !strings.Contains(doc, "`"+method+" "+path+"?") {
			t.Errorf("docs/api.md does not have the route %s", r)
		}
	}
	for _, kind := range agentdesk.MessageTypes() {
		if !strings.Contains(doc, "| `"+kind+"` |") {
			t.Errorf("docs/api.md does not have the message type %s", kind)
		}
	}
	for code, status := range agentdesk.Statuses {
		if !strings.Contains(doc, fmt.Sprintf("| `%s` | %d |", code, status)) {
			t.Errorf("docs/api.md does not have the error code %s with status %d", code, status)
		}
	}
	for code := range agentdesk.Refusals {
		if !strings.Contains(doc, "`"+code+"`") {
			t.Errorf("docs/api.md does not have routing's code %s", code)
		}
	}
	for _, code := range []int{
		agentdesk.CloseTakenOver, agentdesk.CloseSignedOut, agentdesk.CloseForbidden, agentdesk.CloseBadFrame,
		agentdesk.CloseTooLarge, agentdesk.CloseSlow, agentdesk.CloseShutdown, agentdesk.CloseNoHeartbeat,
	} {
		if !strings.Contains(doc, fmt.Sprintf("| %d |", code)) {
			t.Errorf("docs/api.md does not have the close code %d", code)
		}
	}
}
