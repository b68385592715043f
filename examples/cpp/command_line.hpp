// command_line.hpp: what the example programs share of reading their arguments.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

/// Refuses what CLI11 would turn into a giant number: "-1" for a count.
inline CLI::Validator whole_number() {
  return {[](std::string& text) {
            const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
            return digits ? std::string() : "\"" + text + "\", expected a whole number of at least 0";
          },
          "", "whole number"};
}

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
