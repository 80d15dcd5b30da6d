package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"example.org/c3i/agentdesk"
	"example.org/c3i/configs"
	wordings "example.org/c3i/configs/mail"
	"example.org/c3i/contact"
	"example.org/c3i/crm"
	"example.org/c3i/crm/blob"
	"example.org/c3i/intake/email"
	"example.org/c3i/intake/inbox"
)

// post is e-mail within a running C3i.
type post struct {
	outbox    *email.Outbox
	worker    *email.Worker
	receivers []*email.Receiver
	scanner   email.Clamd
	// begin are what runs once everything it needs stands.
	begin []func()
	// smtp and lmtp are where mail is taken, outgoing where sent mail is kept when no
	// mail server takes it.
	smtp, lmtp, outgoing string
}

// mailboxes makes those of the settings.
func mailboxes(c configs.Mail) email.Mailboxes {
	var list []email.Mailbox
	for _, b := range c.Mailboxes {
		box := email.Mailbox{
			Name: b.Name, Address: b.Address, Aliases: b.Aliases, SenderName: b.SenderName, Language: b.Language, Receipt: !b.NoReceipt,
		}
		if b.Hint != "" {
			box.Answers = map[string]string{"hint": b.Hint}
		}
		list = append(list, box)
	}
	return email.NewMailboxes(list)
}

// mailWordings reads the templates, built in or a site's own.
func mailWordings(c configs.Mail) (*email.Templates, error) {
	var files fs.FS = wordings.Files
	if c.Templates != "" {
		files = os.DirFS(c.Templates)
	}
	t, err := email.LoadTemplates(files)
	if err != nil {
		return nil, usageError{fmt.Errorf("mail.templates: %w", err)}
	}
	return t, nil
}

// openMail joins e-mail to the CRM and routing; beginMail begins to take and send
// it. What is accepted goes to box; its worker for e-mail is in the answer. changed
// is told of contacts to which something was added.
func (a *app) openMail(ctx context.Context, records *crm.Store, blobs blob.Store, box *inbox.Inbox, ids *contact.IDs, languages []string, changed func(contact.ID), registry prometheus.Registerer) (*post, error) {
	c := a.c.Mail
	log := a.log.With().Str("part", "mail").Logger()
	templates, err := mailWordings(c)
	if err != nil {
		return nil, err
	}
	threads, err := email.OpenThreads(ctx, a.redis)
	if err != nil {
		return nil, err
	}
	metrics := email.NewMetrics(registry)
	p := &post{scanner: email.Clamd{Addr: c.Clamd}}
	var transport email.Transport
	if len(c.Routes) > 0 {
		host := email.SmartHost{Helo: c.Domain}
		for _, r := range c.Routes {
			policy := email.TLSPolicy(r.TLS)
			if policy == "" {
				policy = email.TLSVerified
			}
			host.Routes = append(host.Routes, email.Route{
				Domain: r.Domain, Host: r.Host, TLS: policy, Implicit: r.Implicit, Username: r.Username, Password: r.Password,
			})
		}
		transport = host
	} else {
		p.outgoing = filepath.Join(a.c.DataDir, "mail", "outgoing")
		if transport, err = email.NewMaildir(p.outgoing); err != nil {
			return nil, err
		}
	}
	boxes := mailboxes(c)
	largest := int64(c.MaxMB) * 1e6
	p.outbox = email.NewOutbox(email.OutboxOptions{
		Redis: a.redis, Records: records, Blobs: blobs, Threads: threads, Mailboxes: boxes, Templates: templates, Transport: transport,
		PlusAddresses: c.PlusAddresses, NewID: ids.New, Changed: changed, Log: log, Metrics: metrics,
	})
	checker := email.Checker{Trusted: c.TrustedResults, Time: 10 * time.Second}
	if c.CheckSenders {
		checker.DNS = net.DefaultResolver
	}
	p.worker = email.NewWorker(email.WorkerOptions{
		Records: records, Router: a.driver, Blobs: blobs, Threads: threads, Mailboxes: boxes, Outbox: p.outbox,
		Scanner: p.scanner, Checker: checker, Largest: largest, Languages: languages, Log: log, Metrics: metrics,
	})
	gate := email.Gate{Blobs: blobs, Inbox: box, Largest: largest, NewID: ids.New, Now: time.Now}
	var config *tls.Config
	if c.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
		if err != nil {
			return nil, usageError{fmt.Errorf("mail.tls_cert: %w", err)}
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}}
	}
	serve := func(key, address string, lmtp bool) (string, error) {
		if address == "" {
			return "", nil
		}
		l, err := listenMail(key, address)
		if err != nil {
			return "", err
		}
		r := email.NewReceiver(email.ReceiverOptions{
			Gate: gate, Mailboxes: boxes, LMTP: lmtp, Domain: c.Domain, TLS: config, Connections: c.Connections,
			MessagesPerMinute: c.MessagesPerMinute, Log: log, Metrics: metrics,
		})
		p.receivers = append(p.receivers, r)
		a.undo = append(a.undo, func() { _ = l.Close() })
		p.begin = append(p.begin, func() { a.part("mail", func() error { return r.Serve(l) }) })
		return l.Addr().String(), nil
	}
	if p.smtp, err = serve("mail.smtp_listen", c.SMTPListen, false); err != nil {
		return nil, err
	}
	if p.lmtp, err = serve("mail.lmtp_listen", c.LMTPListen, true); err != nil {
		return nil, err
	}
	p.begin = append(p.begin, func() { a.work.Go(func() { p.outbox.Run(a.life) }) })
	for _, m := range c.IMAP {
		r := email.Reader{
			Account: email.Account{
				Name: m.Name, Host: m.Host, TLS: m.TLS, Username: m.Username, Password: m.Password, Folder: m.Folder, Mailbox: m.Mailbox, Existing: m.Existing,
			},
			Gate: gate, Threads: threads, Log: log, Metrics: metrics,
		}
		p.begin = append(p.begin, func() { a.work.Go(func() { r.Run(a.life) }) })
	}
	return p, nil
}

// beginMail takes and sends mail from now on.
func (a *app) beginMail() {
	for _, begin := range a.post.begin {
		begin()
	}
}

// deskMail lets handlers answer by mail.
func (a *app) deskMail(o *agentdesk.Options) {
	o.Outbox, o.Service = deskOutbox{a.post.outbox}, a.c.Web.Service
	if a.c.Mail.Clamd != "" {
		o.Scanner = a.post.scanner
	}
	for _, b := range a.c.Mail.Mailboxes {
		label := b.Address
		if b.SenderName != "" {
			label = b.SenderName + " <" + b.Address + ">"
		}
		o.Mailboxes = append(o.Mailboxes, agentdesk.Mailbox{Key: b.Name, Label: label, Address: b.Address})
	}
}

// deskOutbox sends what handlers write. The desk has filled in the template and
// quoted already.
type deskOutbox struct{ outbox *email.Outbox }

// Send implements agentdesk.Outbox.
func (d deskOutbox) Send(ctx context.Context, out agentdesk.Outgoing) (crm.Message, error) {
	m, err := d.outbox.Send(ctx, email.Outgoing{
		Contact: out.Contact, Report: out.Report, Thread: out.Thread, From: out.From, To: out.To, Cc: out.Cc, Subject: out.Subject, Text: out.Text,
		Attachments: out.Attachments, InReplyTo: out.InReplyTo, Author: out.Author, Language: out.Language, Key: out.Key,
	})
	switch {
	case errors.Is(err, email.ErrUnsafe):
		return m, &agentdesk.Error{Code: agentdesk.CodeUnsafeContact, Message: "This person said not to be written to there. Look at how they can be reached safely.", Field: "draft.to"}
	case errors.Is(err, email.ErrInvalid):
		return m, &agentdesk.Error{Code: agentdesk.CodeInvalid, Message: "The message cannot be sent as it is: " + err.Error() + "."}
	}
	return m, err
}

// close takes no more mail; messages on their way in are answered first.
func (p *post) close(ctx context.Context) {
	if p == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, r := range p.receivers {
		_ = r.Shutdown(ctx)
	}
}

func listenMail(key, address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is taken by another program: stop it, or choose another address with --%s", key, address, key)
	case errors.Is(err, syscall.EACCES):
		return nil, fmt.Errorf("%s: %s may only be used by root: choose a port above 1023", key, address)
	}
	return nil, fmt.Errorf("%s: %w", key, err)
}
