package main

import (
	"encoding/json"
	"strings"
	"testing"

	"example.org/c3i/crm/redistest"
	"example.org/c3i/routing"
	"example.org/c3i/routing/journal"
	"example.org/c3i/routing/replay"
)

func TestReplayNamesAnAlteredRecord(t *testing.T) {
	client := redistest.Start(t)
	w, err := journal.NewRedis(client, journalName, journal.Retention{}).Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	kind, event, err := journal.Encode(routing.Tick{})
	if err != nil {
		t.Fatal(err)
	}
	first := journal.Record{Seq: 1, At: 1, Epoch: w.Epoch(), Kind: kind, Event: event}
	first.Chain = journal.Link(nil, first)
	second := journal.Record{Seq: 2, At: 2, Epoch: w.Epoch(), Kind: kind, Event: event}
	second.Chain = journal.Link(nil, second) // as though the first had not been
	if err := w.Append(t.Context(), []journal.Record{first, second}); err != nil {
		t.Fatal(err)
	}
	addr := client.Options().Addr
	out, errOut, code := call(t, "replay", "--redis.addrs", addr)
	if code != exitFailed || !strings.Contains(out, "DIFFERENT: ") || errOut != "c3i: the journal does not give the recorded state\n" {
		t.Errorf("code %d: %s%s", code, out, errOut)
	}
	out, _, code = call(t, "replay", "--redis.addrs", addr, "--json")
	var report replay.Report
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != exitFailed {
		t.Fatalf("code %d: %v: %s", code, err, out)
	}
	if report.Problem == nil || report.Problem.Code != "altered" || report.Problem.Seq != 2 {
		t.Errorf("found %+v", report.Problem)
	}
	if _, _, code = call(t, "replay", "--redis.addrs", addr, "--until", "1"); code != exitOK {
		t.Errorf("up to the record before: code %d", code)
	}
}
