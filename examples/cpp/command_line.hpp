// command_line.hpp: what the example programs share of reading their arguments.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>

/// Reads the arguments. If the program is to end here, its exit code: 0 after --help, 2 after a wrong call.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
}
