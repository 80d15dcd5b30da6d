package agentdesk_test

import (
	"slices"
	"testing"

	"example.org/c3i/agentdesk"
)

// TestEveryMessageIsServedAndNeedsAPermissionOfSomebody holds the two tables
// together: a type in one and not in the other would be dead, or open to all.
func TestEveryMessageIsServedAndNeedsAPermissionOfSomebody(t *testing.T) {
	for _, kind := range agentdesk.MessageTypes() {
		need := agentdesk.MessageNeeds(kind)
		if need == "" {
			t.Errorf("%s needs nothing", kind)
		}
		if !agentdesk.RoleManager.May(need) {
			t.Errorf("%s needs %s, which nobody may", kind, need)
		}
		if served := agentdesk.Served(kind); served == (kind == agentdesk.TypeHello || kind == agentdesk.TypeHeartbeat) {
			t.Errorf("%s is served by a handler: %v", kind, served)
		}
	}
	if n := agentdesk.ServedCount(); n != len(agentdesk.MessageTypes())-2 {
		t.Errorf("%d types are served, %d are known", n, len(agentdesk.MessageTypes()))
	}
}

// TestWhatEachRoleMay is the whole table in one place.
func TestWhatEachRoleMay(t *testing.T) {
	handler := []agentdesk.Permission{
		agentdesk.MayUseDesk, agentdesk.MayReadPeople, agentdesk.MaySavePeople, agentdesk.MayWrite, agentdesk.MaySearch,
		agentdesk.MayReadReports, agentdesk.MaySaveReports, agentdesk.MayOpenRestricted,
	}
	supervisor := slices.Concat(handler, []agentdesk.Permission{
		agentdesk.MaySeeAgents, agentdesk.MaySeeAlerts, agentdesk.MaySeePlans, agentdesk.MayAskWhy,
		agentdesk.MayMergePeople, agentdesk.MayCancelReports, agentdesk.MaySeeTasks,
	})
	manager := slices.Concat(supervisor, []agentdesk.Permission{agentdesk.MayPublishPlans})
	for role, may := range map[agentdesk.Role][]agentdesk.Permission{
		agentdesk.RoleHandler: handler, agentdesk.RoleSupervisor: supervisor, agentdesk.RoleManager: manager, "": nil, "auditor": nil,
	} {
		for _, p := range manager {
			if got := role.May(p); got != slices.Contains(may, p) {
				t.Errorf("%q may %s: %v", role, p, got)
			}
		}
	}
}
