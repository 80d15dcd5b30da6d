package main

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/search"
	"example.org/c3i/intake/triage"
)

// Names of what the records keep beside Redis and in it.
const (
	auditName     = "c3i"
	auditAnchors  = "audit-anchors"
	blobFolder    = "files"
	anchoredEvery = 1000
)

// records are the CRM and what it stands on.
type records struct {
	trail *audit.Log
	blobs *blob.Dir
	index *search.Index
	crm   *crm.Store
}

// openRecords opens the trail, the files, the search index and the CRM with them.
// Marks of the trail's end go to the data folder, out of Redis's reach.
func openRecords(ctx context.Context, r redis.UniversalClient, folder, region string, ids *contact.IDs, log zerolog.Logger) (*records, error) {
	anchors, err := audit.OpenAnchors(filepath.Join(folder, auditAnchors))
	if err != nil {
		return nil, err
	}
	out := &records{}
	out.trail, err = audit.Open(ctx, r, auditName, audit.AnchorTo(func(at audit.Anchor) {
		if err := anchors.Add(at); err != nil {
			log.Error().Err(err).Msg("the end of the audit trail could not be marked in the data folder")
		}
	}, anchoredEvery))
	if err != nil {
		return nil, err
	}
	if out.blobs, err = blob.OpenDir(filepath.Join(folder, blobFolder), blob.Options{}); err != nil {
		return nil, err
	}
	if out.index, err = search.Open(ctx, search.Options{Redis: r, Region: region}); err != nil {
		return nil, err
	}
	out.crm, err = crm.Open(ctx, crm.Options{Redis: r, Region: region, IDs: ids, Audit: out.trail, Search: searchIndex{out.index}})
	return out, err
}

// searchIndex tells the index what the CRM keeps.
type searchIndex struct{ index *search.Index }

// Put implements crm.SearchIndex.
func (s searchIndex) Put(ctx context.Context, d crm.SearchDoc) error {
	return s.index.Put(ctx, search.Doc{
		Kind: search.Kind(d.Kind), ID: d.ID, When: d.At, Names: d.Names, Numbers: d.Numbers, Emails: d.Emails, Refs: d.References,
		Postcodes: d.Postcodes, Vehicles: d.VRMs, Uniques: d.Uniques, Text: strings.TrimSpace(d.Words), Restricted: d.Restricted,
		Person: d.Person, Report: string(d.Report),
	})
}

// Drop implements crm.SearchIndex.
func (s searchIndex) Drop(ctx context.Context, kind, id string) error {
	return s.index.Drop(ctx, search.Kind(kind), id)
}

// Find implements agentdesk.Finder.
func (s searchIndex) Find(ctx context.Context, q agentdesk.SearchRequest) (agentdesk.SearchReply, error) {
	in := search.Query{Text: q.Query, Limit: q.Limit}
	for _, k := range q.Kinds {
		in.Kinds = append(in.Kinds, search.Kind(k))
	}
	found, err := s.index.Query(ctx, in)
	if err != nil {
		return agentdesk.SearchReply{}, err
	}
	out := agentdesk.SearchReply{Hits: make([]agentdesk.SearchHit, 0, len(found.Hits)), More: found.More || found.Partial}
	for _, h := range found.Hits {
		hit := agentdesk.SearchHit{Kind: string(h.Kind), ID: h.ID, At: h.When, Restricted: h.Restricted}
		if len(h.Refs) > 0 {
			hit.Reference = h.Refs[0]
		}
		hit.Title = first(h.Names, h.Emails, h.Numbers, h.Refs)
		hit.Detail = strings.Join(distinct(hit.Title, h.Refs, h.Postcodes, h.Vehicles, h.Emails, h.Numbers), " · ")
		for _, f := range h.Matched {
			hit.Because = append(hit.Because, string(f))
		}
		out.Hits = append(out.Hits, hit)
	}
	return out, nil
}

// first is the first value of the first list that has one.
func first(lists ...[]string) string {
	for _, l := range lists {
		if len(l) > 0 {
			return l[0]
		}
	}
	return ""
}

// distinct lists one value of each list, leaving out the title.
func distinct(title string, lists ...[]string) []string {
	var out []string
	for _, l := range lists {
		if len(l) > 0 && l[0] != title {
			out = append(out, l[0])
		}
	}
	return out
}

// deskRecords gives the desk all sides of the records.
func deskRecords(o *agentdesk.Options, r *records) {
	o.Records, o.Messages, o.Reports, o.People = r.crm, r.crm, r.crm, r.crm
	o.Finder, o.Blobs, o.Trail = searchIndex{r.index}, r.blobs, r.trail
	o.Triage, o.TriageAnswers = triageReasons, triageAnswers
}

// assessed says what a message may be about. It is pure: asked again, it says the
// same.
func assessed(m crm.Message, answers map[string]string) triage.Result {
	return triage.Assess(triage.Input{Channel: m.Channel, Subject: m.Subject, Text: m.Text, Answers: answers, Language: m.Language})
}

func triageReasons(m crm.Message, f contact.Facts) []agentdesk.TriageReason {
	var out []agentdesk.TriageReason
	for _, r := range assessed(m, f.Answers).Reasons {
		out = append(out, agentdesk.TriageReason{Code: r.Code, Sentence: r.Sentence, Quote: r.Quote})
	}
	return out
}

func triageAnswers(m crm.Message) map[string]string { return assessed(m, nil).Answers }

// answerTemplates reads the built-in answers of every language.
func answerTemplates() ([]agentdesk.TemplateText, error) {
	var out []agentdesk.TemplateText
	names, err := fs.Glob(configs.Files, "templates/*.yaml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		text, err := fs.ReadFile(configs.Files, name)
		if err != nil {
			return nil, err
		}
		list, err := agentdesk.ParseTemplates(strings.TrimSuffix(path.Base(name), ".yaml"), text)
		if err != nil {
			return nil, fmt.Errorf("built-in answers: %w", err)
		}
		out = append(out, list...)
	}
	return out, nil
}
