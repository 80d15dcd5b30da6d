package crm

import (
	"context"

	"example.org/c3i/crm/search"
)

// Found is a SearchIndex over search.Index.
type Found struct{ Index *search.Index }

var (
	_ SearchIndex  = Found{}
	_ SearchFiller = Found{}
)

// Put makes a record be found.
func (f Found) Put(ctx context.Context, d SearchDoc) error { return f.Index.Put(ctx, found(d)) }

// Drop makes it be found no more.
func (f Found) Drop(ctx context.Context, kind, id string) error {
	return f.Index.Drop(ctx, search.Kind(kind), id)
}

// Fill puts many records that are new.
func (f Found) Fill(ctx context.Context, ds []SearchDoc) error {
	out := make([]search.Doc, len(ds))
	for i, d := range ds {
		out[i] = found(d)
	}
	return f.Index.Fill(ctx, out)
}

func found(d SearchDoc) search.Doc {
	return search.Doc{
		Kind: search.Kind(d.Kind), ID: d.ID, When: d.At, Names: d.Names, Numbers: d.Numbers, Emails: d.Emails, Refs: d.References,
		Postcodes: d.Postcodes, Vehicles: d.VRMs, Uniques: d.Uniques, Born: d.Born, Title: d.Title, Text: d.Words, Version: d.Version, Restricted: d.Restricted, Person: d.Person, Report: string(d.Report),
	}
}
