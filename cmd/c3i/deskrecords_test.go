package main

import (
	"testing"

	"example.org/c3i/agentdesk"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/redistest"
	"example.org/c3i/crm/search"
)

// What was written in a restricted matter is found, and masked like its record.
func TestWhatBelongsToARestrictedRecordIsFoundRestricted(t *testing.T) {
	client := redistest.Start(t)
	index, err := search.Open(t.Context(), search.Options{Redis: client, Region: "GB"})
	if err != nil {
		t.Fatal(err)
	}
	store, err := crm.Open(t.Context(), crm.Options{Redis: client, Region: "GB", Search: crm.Found{Index: index}})
	if err != nil {
		t.Fatal(err)
	}
	write := func(id, report string) {
		t.Helper()
		_, err := store.IdentifyWritten(t.Context(), crm.WrittenArrival{
			Arrival: crm.Arrival{ID: contact.ID(id), Channel: contact.Email, At: 1e18}, Email: id + "@example.org", Subject: "Zebra", Report: crm.ReportID(report),
		})
		if err == nil {
			_, err = store.AddMessage(t.Context(), crm.Message{
				ID: crm.MessageID("m" + id), Contact: contact.ID(id), Channel: contact.Email, Direction: crm.Incoming, At: 1e18,
				From: crm.Mailbox{Address: id + "@example.org"}, Subject: "Zebra", Text: "A zebra was seen",
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	report, err := store.CreateReport(t.Context(), crm.Report{Restricted: true}, "")
	if err != nil {
		t.Fatal(err)
	}
	write("open", "")
	write("closed", string(report.ID))
	found, err := finder{index, store}.Find(t.Context(), agentdesk.SearchRequest{Query: "zebra", Limit: 20})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]agentdesk.SearchHit{}
	for _, h := range found.Hits {
		seen[h.ID] = h
	}
	for id, restricted := range map[string]bool{"open": false, "mopen": false, "closed": true, "mclosed": true} {
		h, ok := seen[id]
		if !ok || h.Restricted != restricted || restricted && h.Behind != "report "+string(report.ID) {
			t.Errorf("%s found %v as %+v", id, ok, h)
		}
	}
}
