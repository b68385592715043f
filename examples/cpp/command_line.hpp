// command_line.hpp: what the example programs share of reading their arguments.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <optional>

/// Reads the arguments. If the program is to end here, its exit code: 0 after --help, 2 after a wrong call.
inline std::optional<int> parse(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
    return std::nullopt;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);
    std::cerr << std::filesystem::path(argv[0]).filename().string() << ": " << error.what() << "; see --help\n";
    return 2;
  }
}
