package agentdesk

import (
	"context"
	"reflect"
	"time"

	"example.org/c3i/crm"
	"example.org/c3i/routing"
)

// viewsRenewed is how often desks say that they still have reports on screen: the
// CRM forgets them after 20 s.
const viewsRenewed = 5 * time.Second

// viewsMax bounds the reports one desk has on screen.
const viewsMax = 20

func viewReport(ctx context.Context, r *request) (any, error) {
	var in ViewReportRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	rep, ctx, err := r.openReport(ctx, in.Report, "", in.Reason)
	if err != nil {
		return nil, err
	}
	viewers, version, err := r.s.o.Reports.ViewReport(ctx, rep.ID, string(r.d.agent))
	if err != nil {
		return nil, err
	}
	p := ReportPresence{Report: rep.ID, Version: max(rep.Version, version), Viewers: r.s.viewers(ctx, viewers)}
	r.d.mu.Lock()
	if _, views := r.d.views[rep.ID]; !views && len(r.d.views) >= viewsMax {
		r.d.mu.Unlock()
		return nil, &Error{Code: CodeTooMany, Message: "Too many reports are on screen. Close some first."}
	}
	r.d.views[rep.ID] = p
	r.d.mu.Unlock()
	r.s.showPresence(p)
	return ViewReportReply{Presence: p}, nil
}

func leaveReport(ctx context.Context, r *request) (any, error) {
	var in LeaveReportRequest
	if err := r.body(&in); err != nil {
		return nil, err
	}
	r.d.mu.Lock()
	p, views := r.d.views[in.Report]
	delete(r.d.views, in.Report)
	r.d.mu.Unlock()
	if !views {
		return nil, nil
	}
	if err := r.s.o.Reports.LeaveReport(ctx, in.Report, string(r.d.agent)); err != nil {
		return nil, err
	}
	var left []ReportViewer
	for _, v := range p.Viewers {
		if v.Agent != string(r.d.agent) {
			left = append(left, v)
		}
	}
	p.Viewers = append([]ReportViewer{}, left...)
	r.s.showPresence(p)
	return nil, nil
}

func (s *Server) viewers(ctx context.Context, all []crm.Viewer) []ReportViewer {
	names := s.names.get(ctx, s)
	out := make([]ReportViewer, 0, len(all))
	for _, v := range all {
		name := names[v.Agent]
		if name == "" {
			name = v.Agent
		}
		out = append(out, ReportViewer{Agent: v.Agent, Name: name, Since: v.Since})
	}
	return out
}

// showPresence tells every desk that has a report on screen what changed of it.
func (s *Server) showPresence(p ReportPresence) {
	for _, d := range s.hub.all() {
		d.mu.Lock()
		if was, views := d.views[p.Report]; views {
			if p.Version < was.Version { // an older reading
				p.Version, p.ChangedBy = was.Version, was.ChangedBy
			}
			if p.ChangedBy == "" && p.Version == was.Version {
				p.ChangedBy = was.ChangedBy
			}
			if !reflect.DeepEqual(was, p) {
				d.views[p.Report] = p
				shown := p
				d.publishLocked(wireDelta{Report: &shown})
			}
		}
		d.mu.Unlock()
	}
}

// reportChanged tells everybody who has a report on screen that it was saved.
func (s *Server) reportChanged(rep crm.Report, by string) {
	for _, d := range s.hub.all() {
		d.mu.Lock()
		if p, views := d.views[rep.ID]; views && p.Version < rep.Version {
			p.Version, p.ChangedBy = rep.Version, by
			d.views[rep.ID] = p
			shown := p
			d.publishLocked(wireDelta{Report: &shown})
		}
		d.mu.Unlock()
	}
}

// renewViews says for every desk that is open what it has on screen, and shows
// who came and went, and what was saved elsewhere. A desk that is gone falls out by the CRM's lease.
func (s *Server) renewViews(ctx context.Context) {
	if s.o.Reports == nil {
		return
	}
	for _, d := range s.hub.all() {
		d.mu.Lock()
		var open []ReportPresence
		if d.conn != nil {
			for _, p := range d.views {
				open = append(open, p)
			}
		}
		agent := d.agent
		d.mu.Unlock()
		for _, p := range open {
			s.renewView(ctx, agent, p)
		}
	}
}

func (s *Server) renewView(ctx context.Context, agent routing.AgentID, p ReportPresence) {
	ctx, cancel := context.WithTimeout(ctx, s.o.PopTimeout)
	defer cancel()
	viewers, version, err := s.o.Reports.ViewReport(ctx, p.Report, string(agent))
	if err != nil {
		s.log.Debug().Err(err).Msg("who has a report on screen could not be renewed")
		return
	}
	p.Viewers = s.viewers(ctx, viewers)
	if version > p.Version { // saved through another server, or by the public
		p.Version, p.ChangedBy = version, ""
	}
	s.showPresence(p)
}
