package sample

import (
	"context"

	"example.org/c3i/crm"
)

// Load fills a store with a world, oldest contacts first. Progress, if any, is
// told now and then how many of what are there.
func Load(ctx context.Context, s *crm.Store, w World, progress func(what string, done, of int)) error {
	err := batches(ctx, "people", w.People(), w.Person, progress, func(ps []crm.Person) error { return s.FillPeople(ctx, ps) })
	if err != nil {
		return err
	}
	err = batches(ctx, "contacts", w.Contacts(), w.Contact, progress, func(rs []crm.Record) error { return s.FillContacts(ctx, rs) })
	if err != nil {
		return err
	}
	type reported struct {
		report crm.Report
		from   crm.Record
	}
	report := func(i int) reported {
		r, c := w.Report(i)
		return reported{r, c}
	}
	return batches(ctx, "reports", w.Reports(), report, progress, func(of []reported) error {
		var rs []crm.Report
		var cs []crm.Record
		for _, r := range of {
			rs, cs = append(rs, r.report), append(cs, r.from)
		}
		return s.FillReports(ctx, rs, cs)
	})
}

// batches makes n records in order and puts them, the next batch being made while
// one is put.
func batches[T any](ctx context.Context, what string, n int, one func(i int) T, progress func(what string, done, of int), put func([]T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	made := make(chan []T, 1)
	go func() {
		defer close(made)
		for from := 0; from < n; from += crm.FillLimit {
			batch := make([]T, 0, crm.FillLimit)
			for i := from; i < min(from+crm.FillLimit, n); i++ {
				batch = append(batch, one(i))
			}
			select {
			case made <- batch:
			case <-ctx.Done():
				return
			}
		}
	}()
	done := 0
	for batch := range made {
		if err := put(batch); err != nil {
			return err
		}
		done += len(batch)
		if progress != nil {
			progress(what, done, n)
		}
	}
	return ctx.Err()
}
