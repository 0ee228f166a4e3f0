#include "services/lib/metrics/registry.h"
