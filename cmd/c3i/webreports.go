package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.org/c3i/configs"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/edge"
	"example.org/c3i/intake/email"
	"example.org/c3i/intake/inbox"
	"example.org/c3i/intake/triage"
	"example.org/c3i/intake/web"
)

// webParts is what the public pages share with other parts.
type webParts struct {
	records  *crm.Store
	ids      *contact.IDs
	registry *prometheus.Registry
	blobs    blob.Store
	inbox    *inbox.Inbox
	// outbox sends receipts and codes.
	outbox *email.Outbox
}

// openWeb makes the server of the public pages; nil when there are to be none.
// Routing must be able to take events before its worker runs.
func (a *app) openWeb(ctx context.Context, p webParts) (*web.Server, error) {
	c := a.c.Web
	if !c.Reports {
		return nil, nil
	}
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		return nil, fmt.Errorf("web.zone: %w", err)
	}
	texts, err := webTexts(c)
	if err != nil {
		return nil, err
	}
	o := web.Options{
		Redis: a.redis, Texts: texts, Language: c.Language, Records: p.records, Blobs: p.blobs, Inbox: p.inbox, Router: a.driver,
		Assess: triage.Assess, IDs: p.ids, Service: c.Service, Exit: c.Exit, CallPage: a.c.Desk.PublicCalls,
		TLS: a.c.HTTP.OverTLS(), Origins: a.c.HTTP.Origins, Proxies: prefixes(c.Proxies), Times: requestTimes(a.c.HTTP),
		SessionLife: c.SessionLife, DraftLife: c.DraftLife, FileMost: int64(c.FileMB) << 20, FilesMost: c.Files, Busy: c.Busy, Zone: zone,
		Registry: p.registry, Log: a.log.With().Str("part", "web").Logger(),
	}
	for _, partner := range c.Partners {
		o.Partners = append(o.Partners, web.Partner(partner))
	}
	o.Mail = webMail{p.outbox}
	return web.New(ctx, o)
}

// beginWeb serves the public pages before everything else, and adds their worker.
func (a *app) beginWeb(s *web.Server, workers map[inbox.Kind]inbox.Worker, rest http.Handler) http.Handler {
	if s == nil {
		return rest
	}
	workers[inbox.Web] = s
	a.work.Go(func() { s.Run(a.life) })
	a.undo = append(a.undo, s.Wait)
	mux := http.NewServeMux()
	for _, pattern := range web.Patterns() {
		mux.Handle(pattern, s.Handler())
	}
	mux.Handle("/", rest)
	return mux
}

// webTexts are the form and its words: those built in, or a folder's.
func webTexts(c configs.Web) (fs.FS, error) {
	if c.Texts == "" {
		return configs.Files, nil
	}
	files := os.DirFS(c.Texts)
	if _, err := fs.Stat(files, "web/form.yaml"); err != nil {
		return nil, fmt.Errorf("web.texts: %s has no web/form.yaml: %w", c.Texts, bare(err))
	}
	return files, nil
}

// checkWebTexts says what is wrong with the form or its words.
func checkWebTexts(c configs.Web) error {
	texts, err := webTexts(c)
	if err != nil {
		return err
	}
	_, _, err = web.Load(web.Options{Texts: texts, Language: c.Language})
	return err
}

// prefixes reads addresses and networks that were checked before.
func prefixes(list []string) edge.Networks {
	var out edge.Networks
	for _, s := range list {
		if p, err := netip.ParsePrefix(s); err == nil {
			out = append(out, p)
		} else if a, err := netip.ParseAddr(s); err == nil {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return out
}

// webMail sends the public pages' mail by the outbox.
type webMail struct{ outbox *email.Outbox }

// Send implements web.Mailer.
func (m webMail) Send(ctx context.Context, w web.Mail) (crm.Message, error) {
	if strings.TrimSpace(w.To.Address) == "" {
		return crm.Message{}, fmt.Errorf("%w: no address", web.ErrNotSent)
	}
	sent, err := m.outbox.Send(ctx, email.Outgoing{
		Contact: w.Contact, Report: w.Report, To: []crm.Mailbox{w.To}, Subject: w.Subject, Text: w.Text,
		Author: email.AutomaticAuthor, Language: w.Language, Key: w.Key,
	})
	if errors.Is(err, email.ErrUnsafe) || errors.Is(err, email.ErrInvalid) {
		err = fmt.Errorf("%w: %w", web.ErrNotSent, err)
	}
	return sent, err
}
