#include "services/lib/process/run.h"
