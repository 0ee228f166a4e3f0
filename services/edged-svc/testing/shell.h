// Commands of a test's own.
#ifndef SKERRY_SERVICES_EDGED_SVC_TESTING_SHELL_H_
#define SKERRY_SERVICES_EDGED_SVC_TESTING_SHELL_H_

#include <string>

namespace skerry::edged {

// What `command` prints; the test fails where it does. Nothing in it comes from outside of the
// test.
std::string RunShell(const std::string& command);

// Removes the cgroups named `name` at the root of each hierarchy, with those inside.
void RemoveCgroups(const std::string& name);

}  // namespace skerry::edged

#endif  // SKERRY_SERVICES_EDGED_SVC_TESTING_SHELL_H_
