#include "services/lib/base/build_info.h"

#ifndef SKERRY_VERSION
#define SKERRY_VERSION "0.1.0"
#endif
#ifndef SKERRY_COMMIT
#define SKERRY_COMMIT "unknown"
#endif

namespace skerry {

const char* BuildVersion() { return SKERRY_VERSION; }
const char* BuildCommit() { return SKERRY_COMMIT; }

}  // namespace skerry
