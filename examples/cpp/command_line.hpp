// command_line.hpp: what the example programs share: arguments, errors of one line, exit codes.
#pragma once

#include <digitnet/error.hpp>

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <iostream>
#include <limits>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

/// The exit codes of every program of digitnet, see docs/conventions.md.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int bad_input = 3;
inline constexpr int interrupted = 130;
}  // namespace exit_code

/// Ends a program with one line on stderr and an exit code, where the kind of error alone does not tell the code.
class ProgramError : public std::runtime_error {
 public:
  ProgramError(int code, const std::string& message) : std::runtime_error(message), code_(code) {}
  int code() const { return code_; }

 private:
  int code_;
};

/// Whole numbers from `least` to `most`. CLI11 alone would turn "-1" into a giant number.
inline CLI::Validator whole_number(std::uint64_t least = 0,
                                   std::uint64_t most = std::numeric_limits<std::int64_t>::max()) {
  return {[least, most](std::string& word) {
            std::uint64_t value = 0;
            const char* end = word.data() + word.size();
            const auto [rest, error] = std::from_chars(word.data(), end, value);
            if (error == std::errc{} && rest == end && value >= least && value <= most) return std::string();
            std::string expected = "\"" + word + "\", expected a whole number from " + std::to_string(least);
            return expected +
                   (most < std::numeric_limits<std::int64_t>::max() ? " to " + std::to_string(most) : " on");
          },
          "", "whole number"};
}

/// Finite numbers of at least 0.
inline CLI::Validator number() {
  return {[](std::string& word) {
            std::istringstream stream(word);
            double value = -1;
            if (stream >> value && stream.eof() && std::isfinite(value) && value >= 0) return std::string();
            return "\"" + word + "\", expected a number of at least 0";
          },
          "", "number"};
}

/// Reads the arguments and does the work, which returns an exit code. What goes wrong becomes one line on stderr.
template <class Work>
int run_program(CLI::App& app, int argc, char** argv, Work work) {
  const auto tell = [&](const char* message, int code) {
    std::cerr << std::filesystem::path(argv[0]).filename().string() << ": " << message << '\n';
    return code;
  };
  try {
    app.parse(argc, argv);
    return work();
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help
    return tell((std::string(error.what()) + "; see --help").c_str(), exit_code::usage);
  } catch (const ProgramError& error) {
    return tell(error.what(), error.code());
  } catch (const digitnet::FormatError& error) {
    return tell(error.what(), exit_code::bad_input);
  } catch (const digitnet::IoError& error) {
    return tell(error.what(), exit_code::bad_input);
  } catch (const std::exception& error) {  // among them what digitnet says of data that do not fit a network
    return tell(error.what(), exit_code::failed);
  }
}
