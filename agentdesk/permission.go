package agentdesk

// Permission is one thing a role may or may not do.
type Permission string

// Permissions.
const (
	MayUseDesk    Permission = "desk.use"
	MayReadPeople Permission = "people.read"
	MaySavePeople Permission = "people.save"
	MaySeeAgents  Permission = "agents.list"
	MaySeeAlerts  Permission = "alerts.see"
	// MaySeePlans reads plans and their history, MayPublishPlans changes which is
	// in force, MayAskWhy reads the explanation of any contact's routing.
	MaySeePlans     Permission = "plans.see"
	MayPublishPlans Permission = "plans.publish"
	MayAskWhy       Permission = "contacts.why"
	// MaySwitchSurges switches the plan's surges, MayAckAlerts ends an alert that
	// stands, MayAskWhatIf tries changes on a copy of what is going on.
	MaySwitchSurges Permission = "surges.switch"
	MayAckAlerts    Permission = "alerts.acknowledge"
	MayAskWhatIf    Permission = "whatif.ask"
	// MayWrite answers written contacts, MaySearch looks for people and records,
	// MayMergePeople merges and splits people.
	MayWrite       Permission = "messages.write"
	MaySearch      Permission = "search"
	MayMergePeople Permission = "people.merge"
	// MayReadReports opens reports, MaySaveReports changes them, MayCancelReports
	// reclassifies, transfers or cancels what was recorded, MayOpenRestricted opens
	// restricted records for a stated reason, MaySeeTasks lists the tasks of others.
	MayReadReports    Permission = "reports.read"
	MaySaveReports    Permission = "reports.save"
	MayCancelReports  Permission = "reports.cancel"
	MayOpenRestricted Permission = "restricted.open"
	MaySeeTasks       Permission = "tasks.all"
)

var handlerMay = []Permission{
	MayUseDesk, MayReadPeople, MaySavePeople, MayWrite, MaySearch, MayReadReports, MaySaveReports, MayOpenRestricted,
}

var supervisorMay = append([]Permission{
	MaySeeAgents, MaySeeAlerts, MaySeePlans, MayAskWhy, MaySwitchSurges, MayAckAlerts, MayAskWhatIf,
	MayMergePeople, MayCancelReports, MaySeeTasks,
}, handlerMay...)

var managerMay = append([]Permission{MayPublishPlans}, supervisorMay...)

// roles says what each role may do. A role that is not listed may do nothing.
var roles = map[Role][]Permission{
	RoleHandler:    handlerMay,
	RoleSupervisor: supervisorMay,
	RoleManager:    managerMay,
}

// Known reports whether the role exists.
func (r Role) Known() bool { _, ok := roles[r]; return ok }

// May reports whether the role may do p.
func (r Role) May(p Permission) bool {
	for _, have := range roles[r] {
		if have == p {
			return true
		}
	}
	return false
}

// messageNeeds says what sending each type of message needs. Its keys are also
// the list of types the server knows.
var messageNeeds = map[string]Permission{
	TypeHello:        MayUseDesk,
	TypeHeartbeat:    MayUseDesk,
	TypeSetState:     MayUseDesk,
	TypePhoneState:   MayUseDesk,
	TypeAccept:       MayUseDesk,
	TypeDecline:      MayUseDesk,
	TypeControl:      MayUseDesk,
	TypeSaveNote:     MayUseDesk,
	TypeClose:        MayUseDesk,
	TypeExtend:       MayUseDesk,
	TypeDone:         MayUseDesk,
	TypePark:         MayUseDesk,
	TypeUnpark:       MayUseDesk,
	TypeForward:      MayUseDesk,
	TypeSpam:         MayUseDesk,
	TypeSpamUndo:     MayUseDesk,
	TypeSplit:        MayUseDesk,
	TypeSend:         MayWrite,
	TypeSaveDraft:    MayWrite,
	TypeFillTemplate: MayWrite,
	TypeLink:         MaySaveReports,
	TypeUnlink:       MaySaveReports,
	TypeReportCreate: MaySaveReports,
	TypeReportSave:   MaySaveReports,
	TypeReportAssess: MaySaveReports,
	TypeReportGrade:  MaySaveReports,
	TypeReportDecide: MaySaveReports,
	TypeReportUpdate: MaySaveReports,
	TypeReportSecret: MaySaveReports,
	TypeTaskSave:     MaySaveReports,
	TypeTaskDone:     MaySaveReports,
	TypeTaskList:     MayReadReports,
	TypeReportGet:    MayReadReports,
	TypeReportView:   MayReadReports,
	TypeReportLeave:  MayReadReports,
	TypeSavePerson:   MaySavePeople,
	TypeAttachPerson: MaySavePeople,
	TypeFindPeople:   MayReadPeople,
	TypeGetPerson:    MayReadPeople,
	TypeMergePeople:  MayMergePeople,
	TypeSplitPerson:  MayMergePeople,
}
