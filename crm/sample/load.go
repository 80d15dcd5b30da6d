package sample

import (
	"context"

	"example.org/c3i/crm"
)

// Load fills a store with a world, oldest contacts first. Progress, if any, is
// told now and then how many of what are there.
func Load(ctx context.Context, s *crm.Store, w World, progress func(what string, done, of int)) error {
	batches := func(what string, n int, put func(from, to int) error) error {
		for from := 0; from < n; from += crm.FillLimit {
			if err := ctx.Err(); err != nil {
				return err
			}
			to := min(from+crm.FillLimit, n)
			if err := put(from, to); err != nil {
				return err
			}
			if progress != nil {
				progress(what, to, n)
			}
		}
		return nil
	}
	err := batches("people", w.People(), func(from, to int) error {
		ps := make([]crm.Person, 0, to-from)
		for i := from; i < to; i++ {
			ps = append(ps, w.Person(i))
		}
		return s.FillPeople(ctx, ps)
	})
	if err != nil {
		return err
	}
	err = batches("contacts", w.Contacts(), func(from, to int) error {
		rs := make([]crm.Record, 0, to-from)
		for i := from; i < to; i++ {
			rs = append(rs, w.Contact(i))
		}
		return s.FillContacts(ctx, rs)
	})
	if err != nil {
		return err
	}
	return batches("reports", w.Reports(), func(from, to int) error {
		var rs []crm.Report
		var cs []crm.Record
		for i := from; i < to; i++ {
			r, c := w.Report(i)
			rs, cs = append(rs, r), append(cs, c)
		}
		return s.FillReports(ctx, rs, cs)
	})
}
