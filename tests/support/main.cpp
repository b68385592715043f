// main() of every C++ test program, for a Catch2 2 that was installed without one (Catch2::Catch2WithMain).
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
