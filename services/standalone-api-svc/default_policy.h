// The access policy of a site that has none of its own.
#ifndef SKERRY_SERVICES_STANDALONE_API_SVC_DEFAULT_POLICY_H_
#define SKERRY_SERVICES_STANDALONE_API_SVC_DEFAULT_POLICY_H_

namespace skerry::standaloneapi {

// Written to <state_dir>/policy.yaml on first start, for the operator to edit.
extern const char kDefaultPolicy[];

}  // namespace skerry::standaloneapi

#endif  // SKERRY_SERVICES_STANDALONE_API_SVC_DEFAULT_POLICY_H_
