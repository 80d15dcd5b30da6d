package main

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/spf13/cobra"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/audit"
	"example.org/c3i/crm/blob"
	"example.org/c3i/crm/search"
)

const (
	trailName    = "c3i"
	anchorsFile  = "audit-anchors"
	anchorsEvery = 1000 // entries
	blobsDir     = "blobs"
)

// records is the CRM with its trail, its files and its index.
type records struct {
	redis   redis.UniversalClient
	store   *crm.Store
	trail   *audit.Log
	anchors *audit.Anchors
	blobs   *blob.Dir
	index   *search.Index
}

// openRecords opens the records of an installation. What goes wrong with anchors
// later is told to unanchored; the trail goes on without.
func openRecords(ctx context.Context, c configs.Config, client redis.UniversalClient, ids *contact.IDs, unanchored func(error)) (*records, error) {
	r := &records{redis: client}
	var err error
	if r.anchors, err = audit.OpenAnchors(filepath.Join(c.DataDir, anchorsFile)); err != nil {
		return nil, err
	}
	mark := func(a audit.Anchor) {
		if err := r.anchors.Add(a); err != nil {
			unanchored(err)
		}
	}
	if r.trail, err = audit.Open(ctx, client, trailName, audit.AnchorTo(mark, anchorsEvery)); err != nil {
		return nil, err
	}
	if r.index, err = search.Open(ctx, search.Options{Redis: client, Region: c.Telephony.Region}); err != nil {
		return nil, err
	}
	if r.blobs, err = blob.OpenDir(filepath.Join(c.DataDir, blobsDir), blob.Options{}); err != nil {
		return nil, err
	}
	r.store, err = crm.Open(ctx, crm.Options{
		Redis: client, Region: c.Telephony.Region, IDs: ids, Audit: r.trail, Search: crm.Found{Index: r.index},
		WorkingDays: crm.EnglandAndWales{Extra: c.Records.Holidays, Not: c.Records.MovedHolidays},
	})
	if err != nil {
		return nil, errors.Join(err, r.blobs.Close())
	}
	return r, nil
}

// close writes an anchor of the trail as it is and gives the files back.
func (r *records) close(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	_, err := r.trail.Mark(ctx)
	return errors.Join(err, r.blobs.Close())
}

// withRecords opens the records for a command. What the command does is done by
// the operator.
func withRecords(cmd *cobra.Command, f func(context.Context, configs.Config, *records) error) (err error) {
	c, err := settings(cmd)
	if err != nil {
		return err
	}
	ctx := audit.With(cmd.Context(), audit.Actor{ID: "operator", Role: "operator"})
	client, done, err := openRedis(ctx, c)
	if err != nil {
		return err
	}
	defer done()
	var lost error
	r, err := openRecords(ctx, c, client, nil, func(err error) { lost = err })
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close(context.WithoutCancel(ctx)), lost) }()
	return f(ctx, c, r)
}
